// The blocks of an issue in the form: the first empty field gets the focus, and a field shows the text that it replaces.
(() => {
  const GROWING_MS = 800;
  const { StreamBlockDefinition, StructBlock, StructBlockDefinition } = window.wagtailStreamField.blocks;

  class BodyStruct extends StructBlock {
    constructor(...args) {
      super(...args);
      this.showOwnTexts();
      this.container[0].addEventListener('change', () => this.showOwnTexts());
    }

    // The texts of what is chosen, by the names of the fields that replace them.
    get ownTexts() {
      return Object.assign({}, ...Object.values(this.childBlocks).map(({ widget }) => readOwnTexts(widget?.state)));
    }

    showOwnTexts() {
      const texts = this.ownTexts;
      Object.entries(this.childBlocks).forEach(([name, { field }]) => {
        const input = field?.querySelector('input:not([type=hidden]), textarea');
        if (!input || input.placeholder === (texts[name] || '')) return;
        input.placeholder = texts[name] || '';
        input.dispatchEvent(new Event('autosize:update'));
      });
    }

    getTextLabel(options) {
      const label = this.childBlocks.headline?.getTextLabel(options) || super.getTextLabel(options)?.trim();
      const named = label || Object.values(this.ownTexts).find(Boolean) || '';
      return [named, this.childBlocks.show_to?.describe()].filter(Boolean).join(' · ');
    }

    focus(options) {
      this.focusFirst(options);
      keepInView(this.container[0]);
    }

    focusFirst(options) {
      const empty = findEmpty(this);
      if (!empty) {
        super.focus(options);
        return;
      }
      empty.field.dispatchEvent(new Event('beforematch', { bubbles: true })); // opens what it is in
      const choose = empty.widget.chooserElement?.querySelector('.unchosen button'); // Wagtail would focus a hidden one
      if (choose) choose.focus();
      else empty.focus(options);
    }
  }

  // Who sees a block. A rule whose value is no choice any more stays chosen, so that no rule is lost unseen.
  class ShowTo extends BodyStruct {
    constructor(blockDef, placeholder, prefix, state, error) {
      super(blockDef, placeholder, prefix, state, error);
      this.keepChosen(state);
      this.layout.getTextLabel = () => this.describe() || blockDef.meta.everybody;
      this.container[0].addEventListener('change', () => this.layout.setCollapsedLabelText());
      this.layout.setCollapsedLabelText();
    }

    get selects() {
      const blocks = Object.entries(this.childBlocks);
      const selects = blocks.map(([name, { field }]) => [name, field?.querySelector('select')]);
      return selects.filter(([, select]) => select);
    }

    keepChosen(state) {
      this.selects.forEach(([name, select]) => {
        const value = state?.[name];
        if (!value || select.value === value) return;
        select.add(new Option(`${value} ${this.blockDef.meta.deleted}`, value));
        select.value = value;
      });
    }

    setState(state) {
      super.setState(state);
      this.keepChosen(state);
      this.layout.setCollapsedLabelText();
    }

    getTextLabel() {
      return '';
    }

    describe() {
      const chosen = this.selects.map(([, select]) => select).filter(({ value }) => value);
      return chosen.map(({ selectedOptions }) => selectedOptions[0].text).join(', ');
    }
  }

  // A new block grows while its first field has the focus already, so the field would end up below the bar with Save.
  function keepInView(container) {
    const end = performance.now() + GROWING_MS;
    const show = () => {
      const focused = document.activeElement;
      if (container.contains(focused)) focused.scrollIntoView({ block: 'nearest', behavior: 'instant' });
      if (performance.now() < end) requestAnimationFrame(show);
    };
    show();
  }

  // Returns the first required field without a value.
  function findEmpty(block) {
    const named = block.childBlocks && block.blockDef.childBlockDefs.map(({ name }) => block.childBlocks[name]);
    const parts = named || block.children?.map((child) => child.block);
    if (!parts) return block.blockDef.meta?.required && !block.getTextLabel?.() ? block : null;
    return parts.reduce((found, part) => found || findEmpty(part), null);
  }

  // A picture's title stands in for a description that it lacks.
  function readOwnTexts(state) {
    const description = state?.default_alt_text;
    if (description) return { alt: description === state.title ? '' : description };
    return state?.own || {};
  }

  class BodyStructDefinition extends StructBlockDefinition {
    render(placeholder, prefix, state, error) {
      return new BodyStruct(this, placeholder, prefix, state, error);
    }
  }

  class ShowToDefinition extends BodyStructDefinition {
    render(placeholder, prefix, state, error) {
      return new ShowTo(this, placeholder, prefix, state, error);
    }
  }

  // An ordinary issue offers no block that a rule fills for new subscribers. One that is there stays.
  class BodyDefinition extends StreamBlockDefinition {
    constructor(name, groups, states, meta) {
      super(name, groups, states, meta);
      const filled = document.querySelector('[data-nl-ordinary-issue]') ? meta.filled : [];
      const missing = Object.keys(meta.blockCounts).filter((block) => meta.blockCounts[block].max_num === 0);
      const closed = [...filled, ...missing];
      const offer = ([label, defs]) => [label, defs.filter((def) => !closed.includes(def.name))];
      this.groupedChildBlockDefs = groups.map(offer).filter(([, defs]) => defs.length);
    }
  }

  window.telepath.register('newsletter.Body', BodyDefinition);
  window.telepath.register('newsletter.BodyStruct', BodyStructDefinition);
  window.telepath.register('newsletter.ShowTo', ShowToDefinition);
})();
