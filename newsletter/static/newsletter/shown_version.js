// Brings the mail into view if it is outside when a version is chosen, as on a phone.
document.addEventListener('click', ({ target }) => {
  if (!target.closest('a[target="nl-mail"]')) return;
  const [mail] = document.getElementsByName('nl-mail');
  const { top } = mail.getBoundingClientRect();
  if (top < 0 || top > window.innerHeight / 2) mail.scrollIntoView({ block: 'start' });
});
