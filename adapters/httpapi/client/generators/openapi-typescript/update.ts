import createClient from "openapi-fetch";
import type { paths } from "./fleetphoto";

const client = createClient<paths>({ baseUrl: "http://localhost:8080" });

export async function updatePhoto(photoBase64: string): Promise<string> {
  const { data, error } = await client.POST("/update_customer_photo.json", {
    body: { api_key: "DEMO0DEMO0DEMO0DEMO0DEMO0", phone_number: 447700900123, customer_pin: 1234, photo_base64: photoBase64 },
  });
  if (error) throw new Error(`${error.error}: ${error.detail}`); // such as "Invalid PIN: customer_pin: …"
  return data.url_customer_picture;
}
