// After an action, puts the focus on its message, so that the keyboard is not at the top of the page again.
addEventListener('load', () => {
  const messages = document.querySelector('.messages [data-w-messages-target=container]');
  const isFree = document.activeElement === document.body && !window.location.hash;
  if (!isFree || !messages?.querySelector('li')) return;
  messages.setAttribute('tabindex', '-1');
  messages.focus({ preventScroll: true });
});
