// Sends the page's form at once: the form_post response mode (OAuth 2.0 Form Post Response Mode §4).
document.querySelector("form[data-submit]").submit();
