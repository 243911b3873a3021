// What scrolls sideways can be reached by keyboard. The theme looks once, when a page has loaded; a fold that opens later
// may show code that scrolls, so each box is looked at whenever its size changes.
{
  const observer = new ResizeObserver(entries => {
    for (const { target } of entries) target.tabIndex = target.scrollWidth > target.clientWidth ? 0 : -1;
  });
  const boxes = "article :is(pre, div.math, .text_html, .pst-scrollable-table-container)";
  for (const box of document.querySelectorAll(boxes)) observer.observe(box);
}
