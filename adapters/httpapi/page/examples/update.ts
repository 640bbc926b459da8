// In a browser, append the File of an <input type="file"> instead.
import { readFile } from "node:fs/promises";

const form = new FormData();
form.append("api_key", "THE_KEY");
form.append("phone_number", "447700900123");
form.append("customer_pin", "1234");
form.append("photo_base64", new Blob([await readFile("portrait.jpg")]), "portrait.jpg");

const response = await fetch("http://localhost:8080/update_customer_photo.json", {
  method: "POST",
  body: form,
});
const answer = JSON.parse(await response.text());
if (answer.result !== "valid") {
  throw new Error(`${answer.error}: ${answer.detail} (api_log_id ${answer.api_log_id})`);
}
console.log(answer.url_customer_picture);
