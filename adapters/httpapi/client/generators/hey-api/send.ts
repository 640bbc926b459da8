// Sends a photo to a server as JSON or as a file, and prints the answer:
//
//	node send.js json|file URL KEY PHOTO_IN_BASE64
import { updateCustomerPhoto } from "./fleetphoto";
import { client } from "./fleetphoto/client.gen";
import { formDataBodySerializer } from "./fleetphoto/client";

declare const process: { argv: string[] };

async function send(as: string, baseUrl: string, api_key: string, photo_base64: string) {
  client.setConfig({ baseUrl });
  const body = { api_key, phone_number: 447700900123, customer_pin: 1234, photo_base64 };
  if (as === "json") return updateCustomerPhoto({ body });
  // The generated types describe only JSON, so the file needs a cast. fetch must set the form's Content-Type itself.
  const photo = new File([Uint8Array.from(atob(photo_base64), (c) => c.charCodeAt(0))], "photo.jpg");
  const form = { ...body, photo_base64: photo as unknown as string };
  return updateCustomerPhoto({ body: form, ...formDataBodySerializer, headers: { "Content-Type": null } });
}

const [as, baseUrl, key, photo] = process.argv.slice(2) as [string, string, string, string];
send(as, baseUrl, key, photo).then(({ data, error, response }) =>
  console.log(response?.status, error ? `${error.error}: ${error.detail}` : `${data?.result}: ${data?.url_customer_picture}`),
);
