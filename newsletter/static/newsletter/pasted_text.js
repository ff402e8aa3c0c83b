// Makes what is pasted into a text fit for a mail. A row of a table becomes one line, because a text has no tables. Pictures stay
// out, because a mail shows none of other addresses. A message at the field says so.
(() => {
  const RICH = '.Draftail-Editor [contenteditable=true]';
  const PLAIN = 'input:not([type=hidden]), textarea';
  const BETWEEN = ' · ';
  const EMPTY = '–';
  const MAX_CELL_LENGTH = 300; // a longer cell is a column of a page, not one of a table
  const BLOCKS = 'p, div, ul, ol, li, dl, dt, dd, h1, h2, h3, h4, h5, h6, blockquote, pre, section, article, center, figure, address';
  const EMOJI = /^\p{Emoji_Component}*[\p{Extended_Pictographic}\p{Regional_Indicator}][\p{Extended_Pictographic}\p{Emoji_Component}]*$/u;

  class PastedText extends window.StimulusModule.Controller {
    static values = { picture: String, table: String, close: String };

    connect() {
      this.paste = this.paste.bind(this);
      this.drop = this.drop.bind(this);
      this.element.addEventListener('paste', this.paste, true); // before the editor of the text
      this.element.addEventListener('drop', this.drop, true);
    }

    disconnect() {
      this.element.removeEventListener('paste', this.paste, true);
      this.element.removeEventListener('drop', this.drop, true);
    }

    paste(event) {
      const { target, clipboardData: data } = event;
      if (event === this.passedOn || !target.closest(`${RICH}, ${PLAIN}`)) return;
      const [html, text] = ['text/html', 'text/plain'].map((type) => data.getData(type));
      if (!html && !text) {
        if (hasPicture(data)) this.keepOut(event);
        return;
      }
      this.note(target, []);
      if (!target.closest(RICH)) return;
      const fit = makeFit(html, text);
      this.note(target, [fit.pictures && this.pictureValue, fit.rows && this.tableValue]);
      if (!fit.isChanged) return;
      stop(event);
      if (fit.html || fit.text) this.passOn(target, fit);
    }

    drop(event) {
      if (event.target.closest(`${RICH}, ${PLAIN}`) && hasPicture(event.dataTransfer)) this.keepOut(event);
    }

    keepOut(event) {
      stop(event);
      this.note(event.target, [this.pictureValue]);
    }

    passOn(target, { html, text }) {
      const clipboardData = new DataTransfer();
      if (html) clipboardData.setData('text/html', html);
      clipboardData.setData('text/plain', text);
      this.passedOn = new ClipboardEvent('paste', { clipboardData, bubbles: true, cancelable: true });
      target.dispatchEvent(this.passedOn);
    }

    // Replaces the message at the field.
    note(target, texts) {
      const field = target.closest('[data-field-wrapper], .w-field__wrapper, .w-field');
      field?.querySelectorAll('.nl-pasted').forEach((message) => message.remove());
      const text = texts.filter(Boolean).join(' ');
      if (!text || !field) return;
      const message = document.createElement('p');
      message.className = 'nl-pasted';
      const close = document.createElement('button');
      Object.assign(close, { type: 'button', className: 'button button-small button-secondary', textContent: this.closeValue });
      close.addEventListener('click', () => {
        message.remove();
        target.closest(`${RICH}, ${PLAIN}`).focus();
      });
      message.append(text, ' ', close);
      field.append(message);
      window.announce(text);
    }
  }

  const stop = (event) => {
    event.preventDefault();
    event.stopImmediatePropagation();
  };

  const hasPicture = ({ files }) => [...files].some(({ type }) => type.startsWith('image/'));

  // Returns the same content without pictures and tables, and how many pictures and rows of several cells there were.
  function makeFit(html, text) {
    if (!html) return splitTabs(text);
    const { body } = new DOMParser().parseFromString(html, 'text/html');
    const all = [...body.querySelectorAll('img')];
    const pictures = all.filter(takeOut).length;
    const tables = [...body.querySelectorAll('table')].filter((table) => !table.querySelector('table'));
    const rows = tables.map(writeRows).reduce((sum, more) => sum + more, 0);
    const isChanged = Boolean(all.length || rows);
    const isEmpty = !body.textContent.trim();
    return { isChanged, pictures, rows, html: isEmpty ? '' : body.innerHTML, text: isEmpty ? '' : text };
  }

  // A table without its formats has a tab between its cells, and equally many in each row. Other tabs only align a text.
  function splitTabs(text) {
    const lines = text.split('\n').map((line) => line.split('\t').map((cell) => cell.trim()));
    const tabbed = lines.filter(({ length }) => length > 1);
    const isTable = new Set(tabbed.map(({ length }) => length)).size === 1;
    const used = isTable ? [...tabbed[0].keys()].filter((at) => tabbed.some((cells) => cells[at])) : [];
    const written = lines.map((cells) => {
      if (!isTable || cells.length < 2) return cells.filter(Boolean);
      const last = used.findLastIndex((at) => cells[at]);
      return used.slice(0, last + 1).map((at) => cells[at] || EMPTY);
    });
    const rows = written.filter((cells) => cells.length > 1).length;
    return { isChanged: rows > 0, pictures: 0, rows, html: '', text: written.map((cells) => cells.join(BETWEEN)).join('\n') };
  }

  // Takes a picture out. Returns false for an emoji, which becomes a character, and for a picture that nobody sees.
  function takeOut(picture) {
    const isEmoji = EMOJI.test(picture.alt);
    const isHidden = [picture.getAttribute('width'), picture.getAttribute('height')].some((size) => size && parseInt(size, 10) <= 1);
    picture.replaceWith(isEmoji ? picture.alt : '');
    return !isEmoji && !isHidden;
  }

  // Replaces a table by one paragraph for each row. Returns how many rows have several cells; without one it changes nothing.
  function writeRows(table) {
    const isText = (cell) => cell && cell.textContent.trim();
    const grid = layOut(table).filter((row) => row.some(isText));
    const columns = [...Array(Math.max(0, ...grid.map((row) => row.length))).keys()];
    const used = columns.filter((at) => grid.some((row) => isText(row[at])));
    const isPage = [...table.querySelectorAll('td, th')].some((cell) => cell.textContent.length > MAX_CELL_LENGTH);
    if (used.length < 2 || isPage) return 0;
    const lines = grid.map((row) => {
      const last = used.findLastIndex((at) => isText(row[at]));
      const shown = used.slice(0, last + 1).filter((at) => row[at] !== null);
      const cells = shown.map((at) => (isText(row[at]) ? readCell(row[at]) : [writePlain(table.ownerDocument, EMPTY)]));
      return writeLine(table.ownerDocument, cells);
    });
    const captions = [...table.querySelectorAll('caption')].map((caption) => writeLine(table.ownerDocument, [readCell(caption)]));
    table.replaceWith(...captions, ...lines);
    return lines.length;
  }

  // Returns the cells of each row by their columns. A cell over several rows is in each of them. The columns of a wide cell after
  // its first are null.
  function layOut(table) {
    const grid = [...table.rows].map(() => []);
    [...table.rows].forEach((row, top) => {
      let left = 0;
      [...row.cells].forEach((cell) => {
        while (grid[top][left] !== undefined) left += 1;
        const bottom = Math.min(grid.length, top + Math.max(1, cell.rowSpan));
        for (let line = top; line < bottom; line += 1) {
          for (let at = left; at < left + cell.colSpan; at += 1) grid[line][at] = at === left ? cell : null;
        }
      });
    });
    return grid.map((row) => Array.from(row)); // a gap of the table is undefined
  }

  function writeLine(owner, cells) {
    const line = owner.createElement('p');
    cells.forEach((nodes, at) => line.append(...(at ? [writePlain(owner, BETWEEN)] : []), ...nodes));
    return line;
  }

  // Google Docs puts all that it copies into a bold element, in which each part says its own weight.
  function writePlain(owner, text) {
    const part = owner.createElement('span');
    part.style.fontWeight = '400';
    part.textContent = text;
    return part;
  }

  // Returns what is in a cell as parts of one line, with its links and bold words.
  function readCell(cell) {
    const line = cell.cloneNode(true);
    line.querySelectorAll('br').forEach((end) => end.replaceWith(' '));
    line.querySelectorAll(BLOCKS).forEach((block) => block.replaceWith(' ', ...block.childNodes, ' '));
    line.normalize();
    const texts = [];
    const walker = line.ownerDocument.createTreeWalker(line, NodeFilter.SHOW_TEXT);
    while (walker.nextNode()) texts.push(walker.currentNode);
    let before = ' ';
    texts.forEach((text) => {
      const joined = text.data.replace(/[^\S\u00a0]+/g, ' ');
      text.data = before.endsWith(' ') ? joined.trimStart() : joined;
      before = text.data || before;
    });
    const last = texts.findLastIndex(({ data }) => data.trim());
    texts.slice(last).forEach((text) => { text.data = text.data.trimEnd(); });
    return [...line.childNodes];
  }

  window.wagtail.app.register('nl-pasted-text', PastedText);
})();
