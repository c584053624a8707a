((glue, wasm) => {
  let begun = false;
  const begin = () => {
    if (begun) return;
    begun = true;
    const code = fetch(wasm);
    import(glue).then(async (module) => {
      await module.default({ module_or_path: code });
      module.hydrate();
    });
  };
  const painted = () => (document.hidden ? begin() : requestAnimationFrame(() => requestAnimationFrame(begin)));
  if (document.readyState === "complete") painted();
  else addEventListener("load", painted);
  for (const sign of ["pointerdown", "keydown"]) addEventListener(sign, begin, { capture: true, once: true });
})
