// Shows the look of the form in the sample email beside it, while somebody changes it.
(() => {
  const WAIT_MS = 200;
  const RETRY_MS = 4000;
  const ANSWER_MS = 60000; // longer than a busy server takes
  const form = document.querySelector('[data-nl-sample]');
  const iframe = document.getElementById(form?.dataset.nlSample);
  let timer;
  let lastRequest = 0;

  function showIn(time) {
    clearTimeout(timer);
    timer = setTimeout(show, time);
  }

  async function show() {
    lastRequest += 1;
    const request = lastRequest;
    try {
      await ask(() => request === lastRequest);
    } catch {
      if (request === lastRequest) showIn(RETRY_MS); // the old sample stays until then
    }
  }

  // False if the browser or the server shows an error in place of the sample.
  function hasPage() {
    const { contentDocument: shown, contentWindow: view } = iframe;
    return Boolean(shown) && !(view.performance.getEntriesByType('navigation')[0]?.responseStatus >= 500);
  }

  async function ask(isNewest) {
    if (!hasPage()) {
      iframe.src = String(iframe.src);
      throw new Error('The sample is not loaded.');
    }
    window.saveObstacles.takeToken();
    const body = new FormData(form);
    const signal = AbortSignal.timeout(ANSWER_MS);
    const answer = await fetch(iframe.dataset.url, { method: 'POST', body, signal, redirect: 'error' });
    if (!answer.ok) throw new Error(`The sample answered ${answer.status}.`);
    const html = await answer.text();
    if (!isNewest()) return; // a newer change is on its way
    // A parser of the iframe has the content policy of the mail, which allows its inline styles.
    const view = iframe.contentWindow;
    const page = new view.DOMParser().parseFromString(html, 'text/html').documentElement;
    view.document.documentElement.replaceWith(view.document.importNode(page, true));
  }

  if (!iframe) return;
  form.addEventListener('input', () => showIn(WAIT_MS));
  iframe.addEventListener('load', () => showIn(hasPage() ? 0 : RETRY_MS));
  const { contentDocument } = iframe;
  if (!contentDocument || (contentDocument.readyState === 'complete' && contentDocument.URL !== 'about:blank')) showIn(0);
})();
