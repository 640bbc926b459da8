curl -sS http://localhost:8080/update_customer_photo.json \
  -F api_key=THE_KEY \
  -F phone_number=447700900123 \
  -F customer_pin=1234 \
  -F photo_base64=@portrait.jpg

# Delete it again:
curl -sS http://localhost:8080/update_customer_photo.json \
  -d api_key=THE_KEY -d phone_number=447700900123 -d customer_pin=1234 \
  -d photo_base64=delete
