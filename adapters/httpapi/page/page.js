// The page to try the API. It sends its form as multipart/form-data and shows the
// answer. It stores nothing.
"use strict";

const $ = (id) => document.getElementById(id);
const form = document.forms[0];
const invitation = [...$("chosen").cloneNode(true).childNodes];
let photo = null; // the chosen File
let busy = false;

// size rounds up, so that a file over the limit never seems to be within it.
function size(bytes) {
  return bytes < 1024 * 1024 ? `${Math.ceil(bytes / 1024)} KiB` : `${(Math.ceil(bytes / 1024 / 102.4) / 10).toFixed(1)} MiB`;
}

function choose(file) {
  if (!file) return;
  const most = Number($("file").dataset.maxBytes);
  if (file.size > most) {
    remove();
    complain("file", `${file.name} has ${size(file.size)}; the limit is ${size(most)}. Choose a smaller one.`, "Photo Too Large · refused by this page; nothing was sent");
    return;
  }
  photo = file;
  preview(URL.createObjectURL(file));
  $("chosen").textContent = `${file.name}, ${size(file.size)}`;
}

function remove() {
  photo = null;
  preview("");
  $("chosen").replaceChildren(...invitation.map((node) => node.cloneNode(true)));
  for (const input of [$("file"), $("camera")]) input.value = ""; // so that the same file can be chosen again
}

function preview(url) {
  URL.revokeObjectURL($("before").src);
  $("before").hidden = true; // until it has loaded, as browsers can't show every file
  if (url) $("before").src = url;
  else $("before").removeAttribute("src");
  $("drop").classList.toggle("filled", url !== "");
  $("remove").hidden = url === "";
}

$("before").addEventListener("load", () => {
  const { naturalWidth, naturalHeight } = $("before");
  $("before").hidden = false;
  $("chosen").textContent = `${photo.name}, ${naturalWidth} × ${naturalHeight}, ${size(photo.size)}`;
});
for (const input of [$("file"), $("camera")]) {
  input.addEventListener("change", () => choose(input.files[0]));
}

// The file input covers the zone and handles drops there. Without this, a photo
// dropped outside the zone would replace the page.
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
form.addEventListener("input", forgive);
$("remove").addEventListener("click", () => {
  forgive();
  remove();
  $("file").focus();
});

$("delete").addEventListener("click", () => {
  if (busy) return;
  $("whose").textContent = $("phone").value.trim() || "this customer";
  $("sure").showModal();
});
$("keep").addEventListener("click", () => $("sure").close());
$("delete-now").addEventListener("click", () => {
  $("sure").close();
  send("delete");
});

async function send(value) {
  if (busy) return;
  setBusy(true);
  forgive();
  const body = new FormData(form);
  body.append("photo_base64", value);
  const begin = performance.now();
  try {
    const response = await fetch(form.getAttribute("action").slice(1), { method: "POST", body, credentials: "omit", cache: "no-store" });
    const text = await response.text();
    show(response, text, performance.now() - begin);
  } catch {
    clear();
    fail(offline);
  }
  setBusy(false);
}

function setBusy(now) {
  busy = now;
  for (const button of form.querySelectorAll("button")) button.setAttribute("aria-disabled", now);
  if (now) say("busy", "Sending…", "");
}

function say(state, word, sentence, wire = "") {
  $("said").className = state;
  $("said").querySelector(".word").textContent = word;
  $("said").querySelector(".sentence").textContent = sentence;
  $("said").querySelector(".wire").textContent = wire;
  $("said").querySelector(".wire").hidden = !wire;
}

// complain shows an error beside its field and focuses the field.
function complain(id, words, wire) {
  $(`${id}-error`).querySelector(".words").textContent = words;
  $(`${id}-error`).querySelector(".wire").textContent = wire;
  $(`${id}-error`).hidden = false;
  $(id).setAttribute("aria-invalid", "true");
  $(id).focus({ preventScroll: true });
  reveal($(id).closest(".field"), "nearest");
}

function forgive() {
  for (const field of form.querySelectorAll("[aria-invalid]")) {
    field.removeAttribute("aria-invalid");
    $(`${field.id}-error`).hidden = true;
  }
}

function reveal(element, block) {
  const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
  element.scrollIntoView({ block, behavior: calm ? "auto" : "smooth" });
}

// revealAnswer scrolls to the answer; to its beginning if it is below the form.
function revealAnswer() {
  const below = !matchMedia("(min-width: 52rem)").matches;
  reveal(document.querySelector(".result"), below ? "start" : "nearest");
}

// fail shows why a call failed, and below it what the server sent.
function fail(reason, wire = "", again = "") {
  const words = typeof reason.words === "function" ? reason.words(again) : reason.words;
  if (!reason.field) {
    say("failed", reason.title, words, wire);
    revealAnswer();
    return;
  }
  const label = document.querySelector(`label[for=${reason.field}]`).firstChild.textContent.trim();
  say("failed", "Not accepted", `Nothing was changed. The reason is beside “${label}”.`);
  complain(reason.field, words, wire);
}

function clear() {
  for (const id of ["after", "facts", "json"]) $(id).hidden = true;
  $("after").replaceChildren();
}

function show(response, text, took) {
  clear();
  let answer = {};
  try {
    answer = JSON.parse(text) ?? {};
  } catch {
    // not the API's own answer: its status decides what is shown
  }
  $("status").textContent = response.status;
  $("time").textContent = `${Math.round(took)} ms`;
  $("log-id").textContent = answer.api_log_id ?? "none";
  $("json").textContent = answer.result ? JSON.stringify(answer, null, 2) : text.slice(0, 2000);
  $("facts").hidden = $("json").hidden = false;
  if (answer.result !== "valid") {
    const { error, detail = "" } = answer;
    const reason = reasons[error] ?? reasons[detail.split(":")[0]] ?? reasons[response.status] ?? foreign;
    fail(reason, error ? `${error} · ${detail}` : `Status ${response.status}`, when(Number(response.headers.get("Retry-After"))));
    return;
  }
  if (answer.url_customer_picture === "") {
    say("done", "Deleted", "The customer has no photo now.");
  } else {
    showStored(answer);
  }
  revealAnswer();
}

// showStored loads the photo from its address. The address stays the same when the
// photo changes, but a page shows an image that it has already loaded again. So the
// api_log_id is added to the address, unless it is signed.
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
