// Sends a photo to a server as JSON or as a file, and prints the answer:
//
//	node send.js json|file URL KEY PHOTO_IN_BASE64
import createClient from "openapi-fetch";
import type { paths } from "./fleetphoto";

declare const process: { argv: string[] };

const [as, baseUrl, api_key, photo_base64] = process.argv.slice(2) as [string, string, string, string];
const file = new File([Uint8Array.from(atob(photo_base64), (c) => c.charCodeAt(0))], "photo.jpg");

// The generated type of a file part is a string, so this serializer adds the file.
const { data, error, response } = await createClient<paths>({ baseUrl }).POST("/update_customer_photo.json", {
  body: { api_key, phone_number: 447700900123, customer_pin: 1234, photo_base64 },
  ...(as === "file" && {
    bodySerializer(fields) {
      const form = new FormData();
      for (const [name, value] of Object.entries(fields)) form.set(name, String(value));
      form.set("photo_base64", file);
      return form;
    },
  }),
});
console.log(response.status, error ? `${error.error}: ${error.detail}` : `${data.result}: ${data.url_customer_picture}`);
