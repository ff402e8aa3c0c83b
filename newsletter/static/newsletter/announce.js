// Reads texts aloud: `announce` at once, also if it is the text of last time, and `announceAfterPause` once somebody pauses. A
// text that changes with each key would be read with each key.
(() => {
  const PAUSE_MS = 1000;

  // A region is in the page from the start: screen readers read what is written into it later.
  function addRegion() {
    const region = document.createElement('p');
    region.className = 'w-sr-only';
    region.setAttribute('role', 'status');
    addEventListener('DOMContentLoaded', () => document.body.append(region));
    return region;
  }

  const [now, later] = [addRegion(), addRegion()];
  let [clearing, pausing] = [0, 0];

  window.announce = (text) => {
    clearTimeout(clearing);
    now.textContent = text;
    clearing = setTimeout(() => { now.textContent = ''; }, PAUSE_MS);
  };

  window.announceAfterPause = (text) => {
    clearTimeout(pausing);
    pausing = setTimeout(() => { if (later.textContent !== text) later.textContent = text; }, PAUSE_MS);
  };
})();
