// Goes on once every frame has loaded, or after five seconds: a client that is down keeps nobody (OpenID Connect Front-Channel Logout §3).
const goOn = () => location.replace(document.querySelector("a[data-continue]").href);
addEventListener("load", goOn);
setTimeout(goOn, 5000);
