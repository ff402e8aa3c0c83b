// Finds out before a form is sent whether its text would be lost: without a connection, or after the session ended. And
// afterwards, whether the page stays.
window.saveObstacles = {
  OFFLINE: 'offline',
  SIGNED_OUT: 'signed-out',
  STOPPED_MS: 30000, // no page hears of the browser's own button that stops loading
  ANSWER_MS: 60000, // without an answer for this long, the connection counts as lost

  // Returns what keeps a form from being saved at this address, or null.
  async find(url) {
    this.takeToken();
    try {
      const signal = AbortSignal.timeout(this.ANSWER_MS);
      const answer = await fetch(url, { method: 'OPTIONS', signal, redirect: 'manual' });
      return answer.type === 'opaqueredirect' ? this.SIGNED_OUT : null;
    } catch {
      return this.OFFLINE;
    }
  },

  // Calls back once the page stays although its form was sent: Escape has stopped the browser, or no answer came for long.
  // Returns the function that takes this back.
  whenStopped(callback, limit = this.STOPPED_MS) {
    const end = () => {
      clearTimeout(timer);
      removeEventListener('keydown', press, true);
    };
    const stop = () => {
      end();
      callback();
    };
    const press = ({ key }) => { if (key === 'Escape') setTimeout(stop); };
    const timer = setTimeout(stop, limit);
    addEventListener('keydown', press, true);
    return end;
  },

  // Signing in again changes the token against forged requests.
  takeToken() {
    const [, token] = document.cookie.match(/(?:^|; )(?:csrftoken|__Host-csrf)=([^;]+)/) || [];
    if (!token) return;
    window.wagtailConfig.CSRF_TOKEN = token;
    document.getElementsByName('csrfmiddlewaretoken').forEach((field) => { field.value = token; });
  },
};
