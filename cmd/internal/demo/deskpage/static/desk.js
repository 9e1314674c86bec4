// The keyboard is where the clerk goes on: at the first field that is wrong, or at the first one of a form that says so.
(document.querySelector('[aria-invalid="true"]') ?? document.querySelector('main [data-first] input'))?.focus();
