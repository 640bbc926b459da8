// The page's error messages, each beside a field or under a title. The keys are the
// API's error words, the beginnings of its details, or the statuses of answers that
// aren't the API's own.
"use strict";

const reasons = {
  __proto__: null,
  api_key: { field: "key", words: "Enter the API key that your fleet gave out: 25 letters and digits." },
  phone_number: { field: "phone", words: "Enter the number in digits, beginning with the country code, such as 447700900123." },
  customer_pin: { field: "pin", words: "A PIN has 4 to 12 digits. Leave it blank to send none." },
  photo_base64: {
    field: "file",
    words: () => (photo ? `This file can’t be read as a photo. Choose another one: ${$("file-hint").textContent}.` : "Choose a photo first."),
  },
  "Invalid Hash ID": { field: "key", words: "The server knows no such key. Compare it with the one that your fleet gave out; it may have been replaced." },
  "Fleet Disabled": { field: "key", words: "The key is right, but its fleet is switched off. Ask whoever runs this server." },
  "Customer Not Found": { field: "phone", words: "The fleet has no customer with this number. Check its digits, and that it begins with the country code." },
  "Invalid PIN": {
    field: "pin",
    words: () => ($("pin").value.trim() ? "This isn’t the customer’s PIN. A few wrong ones in a row lock it." : "This fleet asks for the customer’s PIN. Enter it."),
  },
  "PIN Locked": {
    field: "pin",
    words: (again) => `Too many wrong PINs came, so the PIN is locked. ${again ? `It can be tried again ${again}.` : "Only the fleet can unlock it: ask there."}`,
  },
  "Photo Too Large": { field: "file", words: "The photo is too large. Choose a smaller one, or save this one smaller." },
  413: { field: "file", words: "The file is too large for a server between this page and the API. Choose a smaller one." },
  "Too Many Requests": {
    title: "Too many calls",
    words: (again) => `The server is getting too many calls. Send this one again ${again || "a little later"}.`,
  },
  "Service Unavailable": {
    title: "Not possible now",
    words: (again) => `The server is busy, or can’t reach its storage. Send the call again ${again || "a little later"}; that is safe.`,
  },
  "Internal Error": { title: "The server failed", words: "That is its mistake, not yours. Tell whoever runs it the api_log_id below." },
  Host: { title: "Wrong server name", words: "The API doesn’t answer under the name in this page’s address. Open the page under the name that its operator gave you." },
  421: { title: "Wrong server", words: "The connection reached a server that doesn’t serve this address. Reload the page and send again." },
  431: { title: "Too many headers", words: "The browser, an extension or a proxy adds more to the call than the server takes. Try a private window." },
  headers: { title: "Too many headers", words: "The browser, an extension or a proxy adds more to the call than the server takes. Try a private window." },
  429: { title: "Too many calls", words: (again) => `A server between this page and the API is getting too many calls. Send this one again ${again || "a little later"}.` },
};

// offline is for a call without an answer, foreign for an answer without a message.
const offline = {
  title: "No answer",
  words: "The connection failed or was cut off, so it is unknown whether anything was changed. Check your network and whether the server runs, then send the call again; that is safe.",
};
const foreign = { title: "Not understood", words: "The API refused the call, or something between it and this page answered in its place. The answer is below." };

// when returns when a call may be sent again, as a clock time and a wait.
function when(seconds) {
  if (!(seconds > 0)) return "";
  if (seconds < 60) return seconds === 1 ? "in a second" : `in ${seconds} seconds`;
  const minute = 60_000;
  const end = new Date(Math.ceil(Date.now() / minute + seconds / 60) * minute);
  const minutes = Math.ceil(seconds / 60);
  return `at ${end.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" })}, in ${minutes} ${minutes === 1 ? "minute" : "minutes"}`;
}
