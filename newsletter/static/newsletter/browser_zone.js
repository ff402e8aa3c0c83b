// Proposes the browser's time zone in a form that has none yet.
(() => {
  class BrowserZone extends window.StimulusModule.Controller {
    connect() {
      const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
      const isOffered = [...this.element.options].some((option) => option.value === zone);
      if (!this.element.value && isOffered) this.element.value = zone;
    }
  }

  window.wagtail.app.register('nl-browser-zone', BrowserZone);
})();
