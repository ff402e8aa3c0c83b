// Reads a text aloud once somebody pauses: a text that changes with each key would be read with each key.
window.announceAfterPause = (() => {
  const PAUSE_MS = 1000;
  let timer = 0;

  // A region that is in the page from the start: screen readers read what is written into it later.
  const region = document.createElement('p');
  region.className = 'w-sr-only';
  region.setAttribute('role', 'status');
  addEventListener('DOMContentLoaded', () => document.body.append(region));

  return (text) => {
    clearTimeout(timer);
    timer = setTimeout(() => { if (region.textContent !== text) region.textContent = text; }, PAUSE_MS);
  };
})();
