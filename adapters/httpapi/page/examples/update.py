import requests  # pip install requests

with open("portrait.jpg", "rb") as photo:
    answer = requests.post(
        "http://localhost:8080/update_customer_photo.json",
        data={
            "api_key": "THE_KEY",
            "phone_number": 447700900123,
            "customer_pin": 1234,
        },
        files={"photo_base64": photo},
        timeout=60,
    ).json()

if answer["result"] != "valid":
    raise SystemExit(f"{answer['error']}: {answer['detail']} (api_log_id {answer['api_log_id']})")
print(answer["url_customer_picture"])
