// Shows the look of the form in the sample email beside it, while somebody changes it.
(() => {
  const WAIT_MS = 200;
  const form = document.querySelector('[data-nl-sample]');
  const iframe = document.getElementById(form?.dataset.nlSample);
  let timer;
  let asked = 0;

  async function show() {
    asked += 1;
    const mine = asked;
    const answer = await fetch(iframe.dataset.url, { method: 'POST', body: new FormData(form), redirect: 'error' });
    const html = await answer.text();
    if (!answer.ok || mine !== asked) return; // a newer change is on its way
    // A parser of the iframe has the content policy of the mail, which allows its inline styles.
    const view = iframe.contentWindow;
    const fresh = new view.DOMParser().parseFromString(html, 'text/html').documentElement;
    view.document.documentElement.replaceWith(view.document.importNode(fresh, true));
  }

  if (!iframe) return;
  form.addEventListener('input', () => {
    clearTimeout(timer);
    timer = setTimeout(() => show().catch(() => {}), WAIT_MS); // without a connection, the old sample stays
  });
  iframe.addEventListener('load', () => show().catch(() => {}), { once: true });
  if (iframe.contentDocument?.readyState === 'complete' && iframe.contentWindow.location.href !== 'about:blank') show().catch(() => {});
})();
