// Names the open drafts of the publication that is chosen, and of no other.
document.addEventListener('change', ({ target }) => {
  if (target.name !== 'publication') return;
  document.querySelectorAll('[data-nl-publication]').forEach((drafts) => {
    drafts.hidden = drafts.dataset.nlPublication !== target.value;
  });
});
