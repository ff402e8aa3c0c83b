// After a refused form, puts the cursor into the first wrong field. A page whose message links to it keeps the focus.
addEventListener('DOMContentLoaded', () => {
  if (document.querySelector('.messages .error, .messages .critical, [role=alert] a[href^="#"]')) return;
  const error = document.querySelector('main form .w-field__errors .error-message');
  const field = error?.closest('.w-field').querySelector('input:not([type=hidden]), select, textarea');
  field?.focus();
});
