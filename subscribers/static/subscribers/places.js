/* The segment builder's two fields of places: a region to choose once its country is chosen, a town to type and choose.
   The inputs stay the fields that are sent; what is beside them only writes into them. */
(() => {
  const { Controller } = window.StimulusModule;
  const RETRY_MS = 4000;
  const ANSWER_MS = 30000;

  // Returns the choices, or null if the server gives none.
  const ask = async (path, query) => {
    const headers = { "X-Requested-With": "XMLHttpRequest" };
    try {
      const signal = AbortSignal.timeout(ANSWER_MS);
      const answer = await fetch(`${path}?${new URLSearchParams(query)}`, { headers, signal, redirect: "error" });
      return answer.ok ? (await answer.json()).choices : null;
    } catch {
      return null;
    }
  };

  class Region extends Controller {
    static values = { url: String, whole: String, unchosen: String, gone: String };

    connect() {
      const name = this.element.name.replace(/-region$/, "-country");
      this.country = document.querySelector(`select[name="${CSS.escape(name)}"]`);
      this.select = document.createElement("select");
      this.element.type = "hidden";
      this.element.after(this.select);
      this.select.id = `${this.element.id}-choice`;
      const label = document.querySelector(`label[for="${this.element.id}"]`);
      if (label) label.htmlFor = this.select.id;
      this.choose = () => {
        this.element.value = this.select.value;
        this.element.dispatchEvent(new Event("change", { bubbles: true }));
      };
      this.clear = () => { this.element.value = ""; this.fill(); };
      this.select.addEventListener("change", this.choose);
      if (this.country) this.country.addEventListener("change", this.clear);
      this.fill();
    }

    disconnect() {
      clearTimeout(this.timer);
      if (this.country) this.country.removeEventListener("change", this.clear);
      this.select.remove();
    }

    async fill() {
      clearTimeout(this.timer);
      const country = this.country ? this.country.value : "";
      const choices = country ? await ask(this.urlValue, { country }) : [];
      if (this.country && this.country.value !== country) return;
      if (!choices && this.element.isConnected) this.timer = setTimeout(() => this.fill(), RETRY_MS);
      const chosen = this.element.value;
      const options = [["", country ? this.wholeValue : this.unchosenValue], ...(choices ?? [])];
      if (chosen && !choices) options.push([chosen, chosen]);
      else if (chosen && !choices.some(([code]) => code === chosen)) options.push([chosen, `${chosen} (${this.goneValue})`]);
      this.select.replaceChildren(...options.map(([code, name]) => new Option(name, code, false, code === chosen)));
      this.select.disabled = options.length === 1;
    }
  }

  class Town extends Controller {
    static values = { url: String };

    connect() {
      this.list = document.createElement("datalist");
      this.list.id = `${this.element.id}-towns`;
      this.element.after(this.list);
      this.element.setAttribute("list", this.list.id);
      this.fillSoon = () => { clearTimeout(this.timer); this.timer = setTimeout(() => this.fill(), 150); };
      this.element.addEventListener("input", this.fillSoon);
    }

    disconnect() {
      clearTimeout(this.timer);
      this.element.removeEventListener("input", this.fillSoon);
      this.list.remove();
    }

    async fill() {
      const typed = this.element.value.trim();
      if (typed.length < 2) return;
      const choices = await ask(this.urlValue, { q: typed });
      if (!choices || this.element.value.trim() !== typed) return;
      this.list.replaceChildren(...choices.map((name) => new Option(name)));
    }
  }

  window.wagtail.app.register("nl-region", Region);
  window.wagtail.app.register("nl-town", Town);
})();
