// Lays a button over each block of the mail in the preview: it opens the block in the form, and buttons beside it move it.
// The name of the block is above the mail, where it covers nothing.
// The layer belongs to this page, because the iframe of the mail runs no script and may not be changed by what it shows.
(() => {
  class MailBlocks extends window.StimulusModule.Controller {
    static targets = ['template'];

    connect() {
      this.form = document.querySelector('[data-edit-form]');
      this.wrapper = this.element.parentElement;
      this.blocks = new Map();
      this.observer = new ResizeObserver(() => this.place());
      this.observer.observe(this.wrapper);
      this.follow = this.follow.bind(this);
      // Wagtail measures the panel in the first frame in which it is shown.
      this.showSelectedLater = () => requestAnimationFrame(() => requestAnimationFrame(() => this.showSelected()));
      this.panel = this.wrapper.closest('[data-side-panel]');
      this.panel.addEventListener('show', this.showSelectedLater);
      this.form.addEventListener('focusin', this.follow);
    }

    disconnect() {
      this.observer.disconnect();
      this.panel.removeEventListener('show', this.showSelectedLater);
      this.form.removeEventListener('focusin', this.follow);
    }

    get stream() {
      return document.getElementById('body-root')?.rootBlock;
    }

    get iframe() {
      return document.getElementById('w-preview-iframe');
    }

    // The iframe is as tall as a mail with marked blocks, so that mail and layer scroll together.
    place() {
      const mail = this.iframe.contentDocument;
      if (!mail?.body || this.panel.hidden) return;
      this.observer.observe(mail.body);
      const marks = this.stream ? [...mail.querySelectorAll('[data-block]:not([data-block=""])')] : [];
      this.wrapper.classList.toggle('nl-has-mail-blocks', marks.length > 0);
      const { height } = mail.documentElement.getBoundingClientRect();
      const scale = this.iframe.getBoundingClientRect().width / this.iframe.offsetWidth || 1;
      this.iframe.style.height = marks.length ? `${height}px` : '';
      this.element.style.height = marks.length ? `${height * scale}px` : '';
      const boxes = marks.map((mark) => this.placeBlock(mark, scale)).filter(Boolean);
      [...this.blocks.values()].filter((box) => !boxes.includes(box)).forEach((box) => box.remove());
      this.blocks = new Map(boxes.map((box) => [box.dataset.key, box]));
      // A block that was added comes into the mail after it is selected, and one that was deleted leaves it.
      if (this.named ? !this.named.isConnected : this.blocks.has(this.selected)) this.showName();
      const ordered = [...this.element.children].filter((box) => box.dataset.key);
      if (boxes.some((box, at) => ordered[at] !== box)) this.reorder(boxes);
      boxes.forEach((box, at) => {
        box.querySelector('[data-by="-1"]').disabled = at === 0;
        box.querySelector('[data-by="1"]').disabled = at === boxes.length - 1;
      });
    }

    reorder(boxes) {
      const focused = document.activeElement;
      this.element.append(...boxes);
      if (this.element.contains(focused)) focused.focus({ preventScroll: true });
    }

    placeBlock(mark, scale) {
      const key = mark.dataset.block;
      const child = this.stream.children.find(({ id }) => id === key);
      const rects = [];
      // The next mark has a key, the last one of the mail an empty one.
      let element = mark.nextElementSibling;
      while (element && element.dataset.block === undefined) {
        rects.push(element.getBoundingClientRect());
        element = element.nextElementSibling;
      }
      const seen = rects.filter((rect) => rect.height > 0);
      if (!child || !seen.length) return null;
      const box = this.blocks.get(key) || this.make(key);
      const top = Math.min(...seen.map((rect) => rect.top));
      const left = Math.min(...seen.map((rect) => rect.left));
      Object.assign(box.style, {
        top: `${top * scale}px`,
        left: `${left * scale}px`,
        height: `${(Math.max(...seen.map((rect) => rect.bottom)) - top) * scale}px`,
        width: `${(Math.max(...seen.map((rect) => rect.right)) - left) * scale}px`,
      });
      this.rename(box, child);
      return box;
    }

    // The form writes the title of a block later than its fields, and the line above the mail shows it.
    renameAll() {
      this.stream?.children.forEach((child) => {
        const box = this.blocks.get(child.id);
        if (box) this.rename(box, child);
      });
    }

    rename(box, child) {
      const kind = child.element.querySelector('.c-sf-block__type').textContent;
      const name = [kind, child.titleElement.text()].filter(Boolean).join(': ');
      const label = box.querySelector('[data-name]');
      if (label.textContent === name) return;
      const line = document.querySelector('[data-nl-block-name]');
      label.textContent = name;
      if (line && this.named === box) line.textContent = name;
    }

    make(key) {
      const box = this.templateTarget.content.firstElementChild.cloneNode(true);
      box.dataset.key = key;
      box.classList.toggle('nl-mail-block--selected', key === this.selected);
      this.element.append(box);
      return box;
    }

    keyOf(element) {
      return element.closest('[data-key]').dataset.key;
    }

    open({ currentTarget }) {
      this.select(this.keyOf(currentTarget));
      this.dispatch('open', { detail: { key: this.keyOf(currentTarget) } });
    }

    // Names the block that is pointed at or has the focus, or else the selected one.
    showName(event) {
      const box = event?.target.closest('[data-key]') || this.blocks.get(this.selected);
      this.named = box;
      const line = document.querySelector('[data-nl-block-name]');
      if (!line) return;
      line.textContent = box ? box.querySelector('[data-name]').textContent : line.dataset.nlBlockName;
    }

    select(key) {
      this.selected = key;
      this.blocks.forEach((box, boxKey) => box.classList.toggle('nl-mail-block--selected', boxKey === key));
      this.showName();
    }

    // Shows the block in whose fields somebody writes.
    follow({ target }) {
      const child = this.stream?.children.find(({ element }) => element.contains(target));
      this.select(child?.id);
      this.showSelected();
    }

    showSelected() {
      this.place();
      this.element.querySelector('.nl-mail-block--selected')?.scrollIntoView({ block: 'nearest' });
    }

    move({ currentTarget }) {
      const keys = [...this.blocks.keys()];
      const key = this.keyOf(currentTarget);
      this.moveTo(key, keys[keys.indexOf(key) + Number(currentTarget.dataset.by)]);
      this.select(key);
    }

    // Moves a block in the form to the place of another one.
    moveTo(key, other) {
      const ids = this.stream.children.map(({ id }) => id);
      if (key === other || !ids.includes(key) || !ids.includes(other)) return;
      this.stream.moveBlock(ids.indexOf(key), ids.indexOf(other));
      this.form.dispatchEvent(new Event('change'));
    }

    drag(event) {
      this.dragged = this.keyOf(event.currentTarget);
      event.dataTransfer.setData('text/plain', this.dragged);
      event.dataTransfer.effectAllowed = 'move';
    }

    dragOver(event) {
      if (!this.dragged) return;
      event.preventDefault();
      const over = this.keyOf(event.currentTarget);
      const isTarget = (key) => key === over && key !== this.dragged;
      this.blocks.forEach((box, key) => box.classList.toggle('nl-mail-block--target', isTarget(key)));
    }

    drop(event) {
      event.preventDefault();
      this.moveTo(this.dragged, this.keyOf(event.currentTarget));
      this.endDrag();
    }

    endDrag() {
      this.dragged = '';
      this.blocks.forEach((box) => box.classList.remove('nl-mail-block--target'));
    }
  }

  window.wagtail.app.register('nl-mail-blocks', MailBlocks);
})();
