// Calls a server in each encoding and causes each failure. The first argument is
// JSON: the server's URL and test data.
import createClient from "openapi-fetch";
import type { components, paths } from "./fleetphoto";

declare const process: { argv: string[]; exitCode: number };

type Known = {
  url: string; liveKey: string; disabledKey: string; pin: number; wrongPin: number; maxPhotoBytes: number; jpeg: string;
  phones: { live: number; lock: number; down: number; bug: number; unused: number };
};
type Call = { key: string; phone: number; pin?: number; photo: Uint8Array<ArrayBuffer> | "delete" };
type Word = components["schemas"]["Failure"]["error"];

const known: Known = JSON.parse(process.argv[2]!);
const path = "/update_customer_photo.json";
const api = createClient<paths>({ baseUrl: known.url });
const jpeg = Uint8Array.from(atob(known.jpeg), (c) => c.charCodeAt(0));

const text = (photo: Call["photo"]) => (photo === "delete" ? photo : btoa(String.fromCharCode(...photo)));
const form = (c: Call) => ({
  api_key: c.key, phone_number: String(c.phone), photo_base64: text(c.photo),
  ...(c.pin === undefined ? {} : { customer_pin: String(c.pin) }),
});

const encodings = {
  json: (c: Call) => api.POST(path, { body: { ...form(c), phone_number: c.phone, customer_pin: c.pin ?? null } }),
  form: (c: Call) => api.POST(path, { body: form(c), headers: { "Content-Type": "application/x-www-form-urlencoded" } }),
  multipart: (c: Call) =>
    api.POST(path, {
      body: form(c),
      bodySerializer(fields) {
        const data = new FormData();
        for (const [name, value] of Object.entries(fields)) data.append(name, String(value));
        if (c.photo !== "delete") data.set("photo_base64", new Blob([c.photo]), "photo.jpg");
        return data;
      },
    }),
};

let checked = 0;
function expect(what: string, got: unknown, want: unknown) {
  checked++;
  if (got === want) return;
  console.error(`${what}: got ${String(got)}, want ${String(want)}`);
  process.exitCode = 1;
}

for (const [encoding, send] of Object.entries(encodings)) {
  const live: Call = { key: known.liveKey, phone: known.phones.live, pin: known.pin, photo: jpeg };
  const fails = async (status: number, word: Word, call: Call) => {
    const { data, error, response } = await send(call);
    const what = `${encoding}, ${word}`;
    expect(what, data, undefined);
    expect(what, response.status, status);
    expect(what, error?.result, "error");
    expect(what, error?.error, word);
    expect(`${what}, detail`, (error?.detail ?? "") !== "", true);
    expect(`${what}, Retry-After`, Number(response.headers.get("Retry-After")) > 0, status === 429 || status === 503);
  };

  const updated = await send(live);
  expect(`${encoding}, update`, updated.data?.result, "valid");
  const stored = new Uint8Array(await (await fetch(updated.data?.url_customer_picture ?? known.url)).arrayBuffer());
  expect(`${encoding}, stored`, text(stored), known.jpeg);
  const deleted = await send({ ...live, pin: undefined, photo: "delete" });
  expect(`${encoding}, delete`, deleted.data?.url_customer_picture, "");

  await fails(400, "Type Error", { ...live, photo: jpeg.slice(0, 9) });
  await fails(401, "Invalid Hash ID", { ...live, key: "TEST0TEST0TEST0TEST0TEST0" });
  await fails(403, "Fleet Disabled", { ...live, key: known.disabledKey });
  await fails(404, "Customer Not Found", { ...live, phone: known.phones.unused });
  await fails(403, "Invalid PIN", { ...live, pin: known.wrongPin });
  await fails(413, "Photo Too Large", { ...live, photo: new Uint8Array(known.maxPhotoBytes + 1) });
  await fails(503, "Service Unavailable", { ...live, phone: known.phones.down });
  await fails(500, "Internal Error", { ...live, phone: known.phones.bug });
  const guess = { ...live, phone: known.phones.lock, pin: known.wrongPin };
  for (let i = 0; i < 5; i++) await send(guess);
  await fails(429, "PIN Locked", guess);
}

const wrong = { body: { api_key: "", phone_number: 1, photo_base64: "delete" } };
const xml = await api.POST(path, { ...wrong, headers: { "Content-Type": "text/xml" } });
expect("text/xml", `${xml.response.status} ${xml.error?.error}`, "415 Type Error");
const elsewhere = await createClient<paths>({ baseUrl: known.url + "/api" }).POST(path, wrong);
expect("another path", `${elsewhere.response.status} ${elsewhere.error?.error}`, "404 Not Found");
const put = await api.POST(path, { ...wrong, fetch: (request: Request) => fetch(new Request(request, { method: "PUT" })) });
expect("another method", `${put.response.status} ${put.error?.error}`, "405 Method Not Allowed");

console.log(`${checked} checks`);
