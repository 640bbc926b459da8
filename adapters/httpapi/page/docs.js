// The docs page: puts this server's address into the examples and shows the OpenAPI
// document in Swagger UI.
"use strict";

const base = new URL(".", location).href.replace(/\/$/, "");
for (const code of document.querySelectorAll(".examples code")) {
  code.textContent = code.textContent.replaceAll("http://localhost:8080", base);
}

for (const example of document.querySelectorAll(".example")) {
  const button = example.querySelector("button");
  button.hidden = false;
  button.addEventListener("click", async () => {
    const said = example.querySelector("[role=status]");
    said.textContent = ""; // so that screen readers announce a second copy too
    const copied = await copy(example.querySelector("code"));
    said.textContent = copied ? "Copied" : "Selected; copy it with your keyboard or menu";
  });
}

// copy works without permission too: if the clipboard is not available, as on pages
// without TLS, it selects the code and copies the selection.
async function copy(code) {
  try {
    await navigator.clipboard.writeText(code.textContent);
    return true;
  } catch {
    getSelection().selectAllChildren(code);
    return document.execCommand("copy");
  }
}

// Some of Swagger UI's fields have no name for screen readers.
new MutationObserver(() => {
  for (const [field, name] of [["select.examples-select-element", "Example"], ["textarea.body-param__text", "Request body"]]) {
    for (const nameless of document.querySelectorAll(`${field}:not([aria-label])`)) nameless.setAttribute("aria-label", name);
  }
}).observe(document.getElementById("viewer"), { childList: true, subtree: true });

SwaggerUIBundle({
  url: "openapi.json",
  dom_id: "#viewer",
  deepLinking: false,
  defaultModelsExpandDepth: -1,
  docExpansion: "full",
  validatorUrl: null,
});
