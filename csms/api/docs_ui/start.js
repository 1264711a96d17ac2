// Writes made from this page with the session cookie need the CSRF token of the second cookie.
function csrfToken() {
  const found = document.cookie.match(/(?:^|; )csms_csrf=([^;]*)/);
  return found ? decodeURIComponent(found[1]) : null;
}

window.SwaggerUIBundle({
  url: "/api/openapi.json",
  dom_id: "#docs",
  deepLinking: true,
  validatorUrl: null,
  persistAuthorization: false,
  requestInterceptor(request) {
    const token = csrfToken();
    if (token !== null) request.headers["X-CSRF-Token"] = token;
    return request;
  },
});
