// Opens Swagger UI on this hub's own description. validatorUrl null: nothing is sent elsewhere.
// deepLinking off: it would put a link into each button, which nobody can tell apart by keyboard.
const place = document.getElementById("swagger");
SwaggerUIBundle({
  domNode: place,
  url: place.dataset.schema,
  deepLinking: false,
  validatorUrl: null,
  presets: [SwaggerUIBundle.presets.apis],
  layout: "BaseLayout",
});

// Says to those who do not see the page what its parts are, where Swagger UI leaves it out; it
// draws what comes into view, and takes away what leaves it.
function tellParts() {
  const tell = (selector, attributes) => {
    for (const part of place.querySelectorAll(selector))
      for (const [name, value] of Object.entries(attributes)) part.setAttribute(name, value);
  };
  tell("#servers", { "aria-label": "Server" });
  tell(".information-container", { role: "region", "aria-label": "About this description" });
  tell(".schemes-server-container", { role: "region", "aria-label": "Server and login" });
  tell("h3.opblock-tag", { role: "heading", "aria-level": "2" });
  tell(".models h4", { role: "heading", "aria-level": "2" });
}

new MutationObserver(tellParts).observe(place, { childList: true, subtree: true });
