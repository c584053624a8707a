((glue, wasm) => {
  let begun = false;
  // Nobody listens yet to the way back: the address would change under a page that stays.
  const here = location.pathname + location.search;
  const back = () => location.pathname + location.search === here || location.reload();
  addEventListener("popstate", back);
  const whole = new Promise((resolve) => addEventListener("DOMContentLoaded", resolve));
  const begin = () => {
    if (begun) return;
    begun = true;
    const code = fetch(wasm);
    import(glue).then(async (module) => {
      await module.default({ module_or_path: code });
      await whole;
      removeEventListener("popstate", back);
      module.hydrate();
    });
  };
  const painted = () => (document.hidden ? begin() : requestAnimationFrame(() => requestAnimationFrame(begin)));
  addEventListener("load", painted);
  for (const sign of ["pointerdown", "keydown"]) addEventListener(sign, begin, { capture: true, once: true });
})
