// Counts what people see as characters, as the server does: an emoji or an accented letter of several code points is one.
(() => {
  const segmenter = new Intl.Segmenter(undefined, { granularity: 'grapheme' });

  window.countCharacters = (text) => [...segmenter.segment(text)].length;
})();
