// The docs: the examples get this server's address, and Swagger UI shows the
// OpenAPI document.
"use strict";

const base = new URL(".", location).href.replace(/\/$/, "");
for (const code of document.querySelectorAll(".examples code")) {
  code.textContent = code.textContent.replaceAll("http://localhost:8080", base);
}

SwaggerUIBundle({
  url: "openapi.json",
  dom_id: "#viewer",
  deepLinking: false,
  defaultModelsExpandDepth: -1,
  docExpansion: "full",
  validatorUrl: null,
});
