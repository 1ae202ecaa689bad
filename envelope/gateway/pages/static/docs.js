// Swagger UI on the gateway's own document; it asks nobody else, and keeps no key.
const place = document.querySelector("#swagger");
window.SwaggerUIBundle({
  url: place.dataset.document,
  domNode: place,
  docExpansion: "list",
  defaultModelsExpandDepth: 0,
  displayRequestDuration: true,
  persistAuthorization: false,
  validatorUrl: null,
});

// Its choices have no names for those who cannot see where they are, and its long texts cannot be reached by keyboard.
const name = () => {
  for (const choice of place.querySelectorAll("select:not([aria-label])")) {
    const row = choice.closest("[data-param-name], [data-code]");
    choice.setAttribute("aria-label", row ? row.dataset.paramName || row.dataset.code : "Content type");
  }
  for (const text of place.querySelectorAll(".microlight:not([tabindex])")) text.tabIndex = 0;
};
new MutationObserver(name).observe(place, { childList: true, subtree: true });
