// The page to try the API. It sends what a form of three fields and a file
// would, and shows what comes back. Nothing is stored.
"use strict";

const $ = (id) => document.getElementById(id);
const form = document.forms[0];
let photo = null; // the File that was chosen
let busy = false;

function size(bytes) {
  return bytes < 1024 * 1024 ? `${Math.ceil(bytes / 1024)} KiB` : `${(bytes / 1024 / 1024).toFixed(1)} MiB`;
}

function choose(file) {
  if (!file) return;
  photo = file;
  URL.revokeObjectURL($("before").src);
  $("before").hidden = true; // until it has loaded: not every file can be shown
  $("before").src = URL.createObjectURL(file);
  $("chosen").textContent = `${file.name}, ${size(file.size)}`;
  $("drop").classList.add("filled");
}

$("before").addEventListener("load", () => {
  const { naturalWidth, naturalHeight } = $("before");
  $("before").hidden = false;
  $("chosen").textContent = `${photo.name}, ${naturalWidth} × ${naturalHeight}, ${size(photo.size)}`;
});
for (const input of [$("file"), $("camera")]) {
  input.addEventListener("change", () => choose(input.files[0]));
}

// The file input covers the zone, so it takes what is dropped there; a photo
// that misses the zone must not replace the page.
for (const name of ["dragover", "drop"]) {
  window.addEventListener(name, (event) => {
    if (event.target !== $("file")) event.preventDefault();
  });
}
for (const [name, over] of [["dragenter", true], ["dragleave", false], ["drop", false]]) {
  $("drop").addEventListener(name, () => $("drop").classList.toggle("over", over));
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  send(photo ?? "");
});
$("delete").addEventListener("click", () => send("delete"));

async function send(value) {
  if (busy) return;
  setBusy(true);
  const body = new FormData(form);
  body.append("photo_base64", value);
  const begin = performance.now();
  try {
    const response = await fetch(form.getAttribute("action").slice(1), { method: "POST", body, credentials: "omit", cache: "no-store" });
    const text = await response.text();
    show(response, text, performance.now() - begin);
  } catch {
    clear();
    say("failed", "No answer", "The connection failed or was cut off. Is the server running? It may also refuse a file that is far too large before all of it has arrived.");
  }
  setBusy(false);
}

function setBusy(now) {
  busy = now;
  for (const button of form.querySelectorAll("button")) button.setAttribute("aria-disabled", now);
  if (now) say("busy", "Sending…", "");
}

function say(state, word, sentence) {
  $("said").className = state;
  $("said").querySelector(".word").textContent = word;
  $("said").querySelector(".sentence").textContent = sentence;
}

function clear() {
  for (const id of ["after", "facts", "json"]) $(id).hidden = true;
  $("after").replaceChildren();
}

function show(response, text, took) {
  clear();
  let answer;
  try {
    answer = JSON.parse(text);
  } catch {
    answer = { error: `Status ${response.status}`, detail: "This is not the API’s own answer: something between it and this page sent it." };
  }
  $("status").textContent = response.status;
  $("time").textContent = `${Math.round(took)} ms`;
  $("log-id").textContent = answer.api_log_id ?? "none";
  $("json").textContent = answer.result ? JSON.stringify(answer, null, 2) : text.slice(0, 2000);
  $("facts").hidden = $("json").hidden = false;
  if (answer.result !== "valid") {
    say("failed", answer.error, answer.detail);
  } else if (answer.url_customer_picture === "") {
    say("done", "Deleted", "The customer has no photo now.");
  } else {
    showStored(answer);
  }
  const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
  $("said").scrollIntoView({ block: "nearest", behavior: calm ? "auto" : "smooth" });
}

// showStored loads the photo from its address. That stays the same when the
// photo changes, and browsers show an image again that a page has shown before,
// so the api_log_id makes it another one, unless a signature forbids that.
function showStored(answer) {
  say("done", "Stored", "This is the photo that the customer has now.");
  const url = new URL(answer.url_customer_picture);
  const link = document.createElement("a");
  link.href = url.href;
  link.target = "_blank";
  link.rel = "noopener noreferrer";
  if (url.search === "") url.search = `api_log_id=${answer.api_log_id}`;
  const image = new Image();
  image.alt = "The stored photo";
  const caption = document.createElement("figcaption");
  image.addEventListener("load", () => {
    link.textContent = `As stored: ${image.naturalWidth} × ${image.naturalHeight}`;
  });
  image.addEventListener("error", () => {
    image.remove();
    link.textContent = "The photo is stored, but could not be loaded from its address";
  });
  link.textContent = "As stored";
  image.src = url.href;
  caption.append(link);
  $("after").append(image, caption);
  $("after").hidden = false;
}
