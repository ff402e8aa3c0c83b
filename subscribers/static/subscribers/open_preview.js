// Opens the preview beside the editor the first time that somebody edits on a wide screen. Afterwards their own choice holds.
(() => {
  const key = 'wagtail:side-panel-open';
  try {
    if (localStorage.getItem(key) === null && window.innerWidth >= 1200) {
      localStorage.setItem(key, 'preview');
      localStorage.setItem('wagtail:side-panel-width', String(Math.round(window.innerWidth * 0.34)));
    }
  } catch {
    // Storage is closed in this browser: the panel stays as it is.
  }
})();
