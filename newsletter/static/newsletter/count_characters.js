// Counts what people see as characters, as the server does: an emoji or an accented letter of several code points is one.
(() => {
  const segmenter = new Intl.Segmenter(undefined, { granularity: 'grapheme' });

  // As MAX_CODE_POINTS in newsletter/common/text.py.
  const maxCodePoints = 16;

  window.countCharacters = (text) =>
    [...segmenter.segment(text)].reduce((sum, { segment }) => sum + Math.ceil([...segment].length / maxCodePoints), 0);
})();
