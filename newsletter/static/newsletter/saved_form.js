// What keep_edits.js changes in Wagtail's save of a form: it has a time limit, and compares texts without their format.
window.savedForm = (() => {
  const SAVE_MS = 60000; // Wagtail's save has no limit, and nothing more is saved before it ends
  const NAMES_OF_SAVE = ['editor_window', 'save_number'];

  // Ends each request with which Wagtail saves the form if no answer comes. Wagtail then counts the connection as lost and
  // saves again. Returns the function that takes the limit away.
  function limitSaves(form) {
    const { fetch } = window;
    window.fetch = (resource, options) => {
      const isSave = resource === form.action && options?.method === form.method && !options.signal;
      if (!isSave) return fetch.call(window, resource, options);
      const signal = AbortSignal.timeout(SAVE_MS);
      return fetch(resource, { ...options, signal, redirect: 'follow' }); // as before: the sign-in page is no JSON
    };
    return () => { window.fetch = fetch; };
  }

  // The rich text editor writes its text in another order of keys a moment after the page is open. That is no edit, nor is the
  // name of a save that a submitted form has.
  function ignoreFormat(unsaved) {
    let owner = unsaved;
    while (!Object.hasOwn(owner, 'formData')) owner = Object.getPrototypeOf(owner);
    const { get } = Object.getOwnPropertyDescriptor(owner, 'formData');
    Object.defineProperty(unsaved, 'formData', {
      get() {
        const fields = [...new URLSearchParams(get.call(unsaved))].filter(([name]) => !NAMES_OF_SAVE.includes(name));
        return new URLSearchParams(fields.map(([name, value]) => [name, sortText(value)])).toString();
      },
    });
  }

  function sortText(value) {
    if (!value.startsWith('{') || !value.includes('"entityMap"')) return value;
    try {
      const text = JSON.parse(value);
      return JSON.stringify({ ...text, blocks: text.blocks.map((block) => ({ data: {}, ...block })) }, sortKeys);
    } catch {
      return value;
    }
  }

  function sortKeys(_name, value) {
    const isObject = value && typeof value === 'object' && !Array.isArray(value);
    return isObject ? Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1))) : value;
  }

  return { NAMES_OF_SAVE, limitSaves, ignoreFormat };
})();
