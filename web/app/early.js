// Runs before the first paint, so that neither colour nor language flickers. Everything else is a module.
(function () {
  "use strict";
  var root = document.documentElement;
  root.classList.add("js");
  try {
    var theme = JSON.parse(localStorage.getItem("ocrfleet.theme"));
    if (theme === "light" || theme === "dark") root.dataset.theme = theme;
    var language = JSON.parse(localStorage.getItem("ocrfleet.language"));
    if (!language) language = /^zh/i.test(navigator.language || "") ? "zh" : "en";
    root.lang = language === "zh" ? "zh-CN" : "en";
  } catch (error) {
    root.dataset.storage = "none"; // a browser that keeps nothing: the page works, it only forgets
  }
})();
