// Finds out before a form is sent whether its text would be lost: without a connection, or after the session ended.
window.saveObstacles = {
  OFFLINE: 'offline',
  SIGNED_OUT: 'signed-out',
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

  // Signing in again changes the token against forged requests.
  takeToken() {
    const [, token] = document.cookie.match(/(?:^|; )(?:csrftoken|__Host-csrf)=([^;]+)/) || [];
    if (!token) return;
    window.wagtailConfig.CSRF_TOKEN = token;
    document.getElementsByName('csrfmiddlewaretoken').forEach((field) => { field.value = token; });
  },
};
