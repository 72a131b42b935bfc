// Follow the theme that was chosen in the console, or else the system's. Swagger UI asks only where it shows its own bar.
"use strict";

(() => {
  const chosen = JSON.parse(localStorage.getItem("adminTheme") ?? '"auto"');
  const dark = chosen === "dark" || (chosen === "auto" && matchMedia("(prefers-color-scheme: dark)").matches);
  document.documentElement.classList.toggle("dark-mode", dark);
})();
