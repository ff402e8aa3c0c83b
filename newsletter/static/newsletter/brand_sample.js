// Shows the look of the form in the sample email beside it, while somebody changes it.
(() => {
  const WAIT_MS = 200;
  const form = document.querySelector('[data-nl-sample]');
  const iframe = document.getElementById(form?.dataset.nlSample);
  let timer;
  let lastRequest = 0;

  async function show() {
    lastRequest += 1;
    const request = lastRequest;
    const answer = await fetch(iframe.dataset.url, { method: 'POST', body: new FormData(form), redirect: 'error' });
    const html = await answer.text();
    if (!answer.ok || request !== lastRequest) return; // a newer change is on its way
    // A parser of the iframe has the content policy of the mail, which allows its inline styles.
    const view = iframe.contentWindow;
    const page = new view.DOMParser().parseFromString(html, 'text/html').documentElement;
    view.document.documentElement.replaceWith(view.document.importNode(page, true));
  }

  if (!iframe) return;
  form.addEventListener('input', () => {
    clearTimeout(timer);
    timer = setTimeout(() => show().catch(() => {}), WAIT_MS); // without a connection, the old sample stays
  });
  iframe.addEventListener('load', () => show().catch(() => {}), { once: true });
  const isLoaded = iframe.contentDocument?.readyState === 'complete';
  if (isLoaded && iframe.contentWindow.location.href !== 'about:blank') show().catch(() => {});
})();
