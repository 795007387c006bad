"use strict";
// The behaviour of the gallery. Text from the data is only put into text nodes and attributes.
const df2 = (() => {
  const PAGE = 60, ROWS = 100;
  const DOMAINS = ["catalog", "query"];
  const NOT_GIVEN = "not given";
  const about = document.body.dataset;
  // Originals: next to the crops on report/server.py, else where the page says.
  const served = /\/sku\/_df2_assets\/report\/[a-z]+\//.test(location.pathname) && location.protocol !== "file:";
  const source = served ? `../../../../df2/${about.split}` : about.source;
  const at = (id) => document.getElementById(id);
  const number = new Intl.NumberFormat("en").format;
  let data = null, images = null, refusedRows = null, splits = [];
  let found = [], page = 0, refusedPage = 0, openSku = -1, cameFrom = null, section = "browse";
  // What a look consists of: the domain and each label. Filters are these and the category.
  let facets = [], groups = [], options = [];
  // Whether filters select crops, and whether a crop of a SKU with some look is selected.
  let narrowed = false, matching = () => true;
  const details = new Map(), waiting = new Map();

  function make(tag, values = {}, ...children) {
    const element = document.createElement(tag);
    for (const [name, value] of Object.entries(values)) {
      if (name === "class") element.className = value;
      else if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
      else if (value === true) element.setAttribute(name, "");
      else if (value !== false && value !== null) element.setAttribute(name, value);
    }
    element.append(...children);
    return element;
  }
  const several = (count, one, more = `${one}s`) => `${number(count)} ${count === 1 ? one : more}`;
  const total = (place) => data.catalog[place] + data.query[place];
  const category = (place) => Number(data.ids[place].slice(10));
  const isSku = (id) => data !== null && data.places.has(id);

  // A data file is a script that calls one of the functions at the end. It is loaded once.
  function load(name) {
    if (!waiting.has(name)) {
      waiting.set(name, new Promise((done, failed) => {
        document.head.append(make("script", { src: name, onload: done, onerror: failed }));
      }));
    }
    return waiting.get(name);
  }

  // ---- Searching: each word must be in the SKU id, its category, or a prompt of its crops.
  // The contract's prompt of a look is a bit. A search returns the bits that match for a SKU.
  const EVERY = (1 << 18) - 1;
  const promptOf = (look) => { const [domain, occlusion, viewpoint] = data.looks[look]; return 9 * domain + 3 * occlusion + viewpoint; };
  // A search for an id, which may begin with the split: the split and the digits.
  const idSearch = () => at("q").value.trim().toLowerCase().match(/^(?:([a-z]+)\/)?([0-9_]+)$/);

  function matcher(query) {
    const words = query.toLowerCase().split(/\s+/).filter(Boolean);
    if (!words.length) return () => EVERY;
    const id = idSearch();
    if (id) {
      const [, split = about.split, digits] = id;
      if (split !== about.split) return () => 0;
      return (place) => (data.ids[place].includes(digits) || (images !== null && images[place].includes(digits)) ? EVERY : 0);
    }
    const masks = {};
    for (const [category, texts] of Object.entries(data.prompts)) {
      masks[category] = 0;
      for (const [bit, text] of Object.entries(texts)) {
        const padded = ` ${text.toLowerCase()}`;
        if (words.every((word) => padded.includes(` ${word}`))) masks[category] |= 1 << Number(bit);
      }
    }
    return (place) => masks[category(place)] || 0;
  }

  function chosen(name) {
    return [...document.querySelectorAll(`#${name} input:checked`)].map((input) => Number(input.value));
  }

  // The number of selected crops of a SKU.
  const selected = (place) => data.crops[place].reduce((sum, look) => sum + (matching(place, look) ? 1 : 0), 0);

  // Finds SKUs. For each choice, counts the SKUs that would match if it replaced its group.
  function select() {
    const matches = matcher(at("q").value), bits = data.looks.map((_, look) => 1 << promptOf(look));
    const picked = facets.map((name) => new Set(chosen(name)));
    const categories = new Set(chosen("category")), named = at("named").value;
    // The facets of each look whose choice it contradicts. With one, it counts for that facet only.
    const against = data.looks.map((look) => look.flatMap((value, facet) => (picked[facet].size && !picked[facet].has(value) ? [facet] : [])));
    const offers = data.looks.map((look, at) => look.reduce((bits, value, facet) =>
      (against[at].every((other) => other === facet) ? bits | 1 << options.indexOf(`${facets[facet]}-${value}`) : bits), 0));
    const counts = new Map(), add = (key) => counts.set(key, (counts.get(key) ?? 0) + 1);
    found = [];
    narrowed = picked.some((values) => values.size) || (at("q").value.trim() !== "" && !idSearch());
    matching = (place, look) => against[look].length === 0 && (matches(place) & bits[look]) !== 0;
    for (let place = 0; place < data.ids.length; place++) {
      const words = matches(place);
      if (!words) continue;
      let offered = 0, matched = false;
      for (const look of data.crops[place]) {
        if (!(words & bits[look])) continue;
        offered |= offers[look];
        matched ||= against[look].length === 0;
      }
      const inCategory = !categories.size || categories.has(category(place));
      const isNamed = named === "any" ? data.named[place].length > 0 : !named || data.named[place].includes(Number(named));
      if (inCategory && isNamed) for (let left = offered; left; left &= left - 1) add(options[31 - Math.clz32(left & -left)]);
      if (!matched) continue;
      if (isNamed) add(`category-${category(place)}`);
      if (inCategory) {
        if (data.named[place].length) add("named-any");
        for (const check of data.named[place]) add(`named-${check}`);
      }
      if (inCategory && isNamed) found.push(place);
    }
    showCounts(counts);
    const order = at("order").value;
    if (order === "crops") found.sort((a, b) => total(b) - total(a) || a - b);
    if (order === "few") found.sort((a, b) => total(a) - total(b) || a - b);
  }

  function showCounts(counts) {
    for (const name of groups) {
      document.querySelectorAll(`#${name} input`).forEach((input) => {
        const count = counts.get(`${name}-${input.value}`) ?? 0;
        input.parentElement.querySelector(".n").textContent = number(count);
        input.parentElement.classList.toggle("nothing", count === 0);
      });
    }
    for (const option of at("named").options) {
      const label = option.value === "any" ? "by any" : data.checks[option.value];
      if (option.value) option.textContent = `${label} (${number(counts.get(`named-${option.value}`) ?? 0)})`;
    }
    const choices = groups.reduce((sum, name) => sum + chosen(name).length, 0) + (at("named").value ? 1 : 0);
    at("chosen").textContent = choices ? number(choices) : "";
  }

  function refresh(first = 0) {
    select();
    page = Math.max(0, Math.min(first, Math.ceil(found.length / PAGE) - 1));
    show();
    remember();
  }

  function show() {
    const all = found.reduce((sum, place) => sum + total(place), 0);
    const some = found.reduce((sum, place) => sum + selected(place), 0);
    at("found").replaceChildren(several(found.length, "SKU"), " ", make("small", {}, several(all, "crop")));
    at("matching").textContent = narrowed && found.length ? `${several(some, "crop")} ${some === 1 ? "matches" : "match"} and ${some === 1 ? "is" : "are"} marked` : "";
    at("grid").replaceChildren(...found.slice(page * PAGE, (page + 1) * PAGE).map(card));
    at("nothing").hidden = found.length > 0;
    at("nothing").textContent = data.ids.length
      ? "No SKU matches. Clear a filter, or search for other words."
      : "This split has no SKU. For test, this is correct: it was released without annotations.";
    const [, split = about.split, digits] = idSearch() ?? [];
    if (split !== about.split) load("../splits.js").then(() => showOther(split, digits), () => {});
    pager(at("pager"), page, found.length, PAGE, (to) => { page = to; show(); remember(); at("found").scrollIntoView({ block: "center" }); at("grid").querySelector("a")?.focus(); });
  }

  // An id with another split is of another garment, which only the page of that split has.
  function showOther(split, digits) {
    if (!splits.includes(split) || idSearch()?.[1] !== split) return;
    at("nothing").replaceChildren(`This page has the SKUs of ${about.split}. `,
      make("a", { href: `../${split}/index.html#/browse?q=${digits}` }, `Search in ${split}`));
  }

  function card(place) {
    const id = data.ids[place];
    const sheet = `thumbs/${id.slice(3, 6)}/${id}-${data.sheets[place]}.jpg`;
    const flags = data.named[place].length;
    return make("li", {},
      make("a", { class: "card", href: `#/sku/${id}` },
        make("span", { class: "sheet" },
          make("img", { src: sheet, alt: "", loading: "lazy", decoding: "async", width: 224, height: 280 }),
          ...data.tiles[place].flatMap((looks, row) => [0, 1].map((column) => tile(place, row, column, looks[column]))),
          make("span", { class: "row catalog", "aria-hidden": "true" }, "catalog"),
          make("span", { class: "row query", "aria-hidden": "true" }, "query")),
        make("span", { class: "label" },
          ...(flags ? [make("span", { class: "flag" }, several(flags, "check"))] : []),
          make("b", {}, id),
          make("span", {}, data.categories[category(place)], make("br"),
            `${number(data.catalog[place])} catalog · ${number(data.query[place])} query`,
            ...(narrowed ? [make("br"), make("span", { class: "matches" }, several(selected(place), "crop"), " marked")] : [])))));
  }

  // The overlay of a picture on a sheet: a frame if it matches, a cover if there is no picture.
  function tile(place, row, column, look) {
    const kind = look === undefined ? "none" : !narrowed ? "" : matching(place, look) ? "match" : "other";
    return make("span", { class: `tile ${row ? "lower" : "upper"} ${column ? "right" : "left"} ${kind}`, "aria-hidden": "true" });
  }

  function pager(nav, current, total, size, go) {
    const last = Math.ceil(total / size) - 1;
    if (last < 1) return nav.replaceChildren();
    const near = [0, last, current - 1, current, current + 1].filter((one) => one >= 0 && one <= last);
    const shown = [...new Set(near)].sort((a, b) => a - b);
    const button = (label, to, extra = {}) => make("button", { type: "button", onclick: () => go(to), ...extra }, label);
    const parts = [button("Back", current - 1, { disabled: current === 0 })];
    shown.forEach((one, i) => {
      if (i && one - shown[i - 1] > 1) parts.push(make("span", {}, "…"));
      parts.push(button(number(one + 1), one, { "aria-current": one === current ? "page" : null, "aria-label": `Page ${one + 1}` }));
    });
    nav.replaceChildren(...parts, button("Next", current + 1, { disabled: current === last }));
  }

  // ---- One SKU
  function openDialog(dialog) {
    if (!dialog.open) dialog.showModal();
  }

  // The layers that are turned on: a crop variant, and the labels.
  const variant = () => data.layers[at("variant").value];
  const labelled = () => (at("labels").checked ? data.layers.find((layer) => !layer.suffix) : undefined);

  // Loads what shows a SKU. Returns null if nothing has to be loaded.
  function loadSku(place) {
    const file = Math.floor(place / data.perFile);
    const missing = [variant(), labelled()].filter((layer) => layer && !layer.parts.has(file)).map((layer) => layer.files[file]);
    if (!details.has(file)) missing.push(data.details[file]);
    return missing.length ? Promise.all(missing.map(load)) : null;
  }

  function showSku(id) {
    openSku = data.places.get(id);
    const loading = loadSku(openSku);
    if (loading) return loading.then(() => { if (location.hash === `#/sku/${id}`) showSku(id); });
    at("sku-title").textContent = `${about.split}/${id}`;
    const names = data.named[openSku].map((check) => data.checks[check]);
    at("sku-about").textContent = data.categories[category(openSku)] + (names.length ? ` · named by ${names.join(", ")}` : "");
    showCrops(id);
    showSimilar();
    const position = found.indexOf(openSku);
    at("previous").disabled = position < 1;
    at("next").disabled = position < 0 || position === found.length - 1;
    openDialog(at("sku"));
    at("sku").scrollTop = 0;
    at("sku-title").focus();
  }

  function showCrops(id) {
    const file = Math.floor(openSku / data.perFile), inFile = openSku % data.perFile;
    const values = (layer) => layer?.parts.get(file)[inFile];
    const shapes = values(labelled()), forms = values(variant());
    const crops = details.get(file)[inFile].map((crop, i) => ({ crop, shapes: shapes?.[i], form: forms?.[i] }));
    at("legend").hidden = !labelled();
    at("sku-body").replaceChildren(...DOMAINS.map((domain, which) => {
      const own = crops.filter(({ crop }) => data.looks[crop[6]][0] === which);
      return make("section", { class: `side ${domain}`, "aria-label": domain },
        make("h3", {}, domain === "catalog" ? "Catalog" : "Query", make("span", {}, several(own.length, "crop"))),
        make("div", { class: "crops" }, ...own.map((one) => figure(id, domain, one))));
    }));
  }

  // Shows the crops of the open SKU again after another choice of layers.
  function changeLayers() {
    const id = data.ids[openSku];
    Promise.resolve(loadSku(openSku)).then(() => { if (location.hash === `#/sku/${id}` && !loadSku(openSku)) showCrops(id); });
  }

  // ---- SKUs like the open one, by an encoder. The file of an encoder is loaded when it is needed.
  const similar = new Map();

  function showSimilar() {
    const encoder = at("similar-by")?.value;
    if (!encoder) return;
    if (!similar.has(encoder)) return load(data.similar[encoder]).then(showSimilar);
    const like = similar.get(encoder)[openSku] ?? [];
    at("sku-similar").hidden = like.length === 0;
    at("similar-list").replaceChildren(...like.map(card));
  }

  function prompt(id, crop) {
    return crop[7] ?? data.prompts[Number(id.slice(10))][promptOf(crop[6])];
  }

  function further(crop) {
    return data.keys.map((key, i) => make("span", { class: "further" }, make("b", {}, key), ` ${data.texts[crop[8 + i]]}`));
  }

  function labels(look) {
    return Object.entries(data.labels).map(([name, meanings], i) => ` · ${name.replace("_", " ")} ${meanings[data.looks[look][i + 1]] ?? NOT_GIVEN}`).join("");
  }

  function figure(id, domain, { crop, shapes, form }) {
    const [image, item, left, top] = crop;
    const text = prompt(id, crop);
    const chosen = variant(), name = `${about.split}/${domain}/${id}/${image}_item${item}`;
    const refused = chosen && !Array.isArray(form);
    const path = chosen ? `${about.crops}/_df2_assets/variants/${chosen.name}/${name}${chosen.suffix}` : `${about.crops}/${name}.jpg`;
    const frame = make("span", { class: "shown" });
    frame.append(refused
      ? make("span", { class: "gone" }, `The variant ${chosen.name} does not have this crop: ${form ?? "it was built later"}.`)
      : make("img", { src: path, alt: text, loading: "lazy", onerror: gone, onload: ({ target }) => {
        if (shapes) frame.append(drawShapes(target, shapes, left, top, form ?? [1, 1, -left, -top]));
      } }));
    const marked = narrowed && matching(openSku, crop[6]);
    return make("figure", { class: `crop${marked ? " match" : narrowed ? " other" : ""}` },
      make("button", { type: "button", "aria-label": `Image ${image} with the box of item ${item}`, onclick: () => showOriginal(id, crop, shapes) }, frame),
      make("figcaption", {}, ...(marked ? [make("span", { class: "matches" }, "matches the filters")] : []),
        make("span", { class: "prompt" }, text), ...further(crop),
        make("small", {}, `image ${image}, item ${item}${labels(crop[6])}`),
        ...(labelled() ? [make("small", {}, describeShapes(shapes))] : [])));
  }

  // ---- Mask and landmarks. Shapes are in pixels of the crop, whose corner in the image is given.
  const svg = (tag, values, ...children) => {
    const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
    for (const [name, value] of Object.entries(values)) element.setAttribute(name, value);
    element.append(...children);
    return element;
  };
  const drawing = (picture, ...children) => svg("svg", {
    viewBox: `0 0 ${picture.naturalWidth} ${picture.naturalHeight}`, preserveAspectRatio: "none", "aria-hidden": "true",
  }, ...children);

  // The map from pixels of the image to those of the picture is [scale x, scale y, shift x, shift y].
  function drawShapes(picture, [polygons, landmarks], left, top, [scaleX, scaleY, shiftX, shiftY]) {
    const outline = polygons.map(([x, y, ...steps]) => `M${x} ${y}l${steps.join(" ")}Z`).join("");
    const moved = `matrix(${scaleX} 0 0 ${scaleY} ${scaleX * left + shiftX} ${scaleY * top + shiftY})`;
    const dots = [];
    for (let i = 0; i < landmarks.length; i += 3) {
      const d = `M${scaleX * (landmarks[i] + left) + shiftX} ${scaleY * (landmarks[i + 1] + top) + shiftY}h0`;
      for (const kind of ["rim", "visible", ...(landmarks[i + 2] === 1 ? ["occluded"] : [])]) dots.push(svg("path", { class: kind, d }));
    }
    return drawing(picture, svg("path", { class: "mask", d: outline, transform: moved }), ...dots);
  }

  function describeShapes(shapes) {
    if (!shapes) return "no labels: they were built later";
    const [, landmarks, reason] = shapes;
    const count = (visibility) => landmarks.filter((value, i) => i % 3 === 2 && value === visibility).length;
    return `landmarks: ${count(2)} visible, ${count(1)} occluded${reason ? ` · refused: ${reason}` : ""}`;
  }

  function gone(event) {
    event.target.replaceWith(make("span", { class: "gone" }, "This file is missing, or not in the same place relative to the gallery."));
  }

  function step(by) {
    const position = found.indexOf(openSku) + by;
    if (found.indexOf(openSku) >= 0 && position >= 0 && position < found.length) location.hash = `#/sku/${data.ids[found[position]]}`;
  }

  // ---- An original with the box drawn on it
  function showOriginal(id, crop, shapes) {
    const [image, item, x1, y1, x2, y2] = crop;
    const path = `${source}/image/${image}.jpg`;
    at("original-title").textContent = `image ${image}, item ${item}`;
    at("original-about").textContent = `${about.split}/${id} · box ${x1}, ${y1} to ${x2}, ${y2}`;
    at("original-file").href = path;
    const frame = make("div", { class: "framed" });
    frame.append(make("img", {
      src: path, alt: `image ${image}; the box of item ${item} is marked`, onerror: gone,
      onload: ({ target }) => {
        frame.append(box(target, x1, y1, x2, y2));
        if (shapes) frame.append(drawShapes(target, shapes, x1, y1, [1, 1, 0, 0]));
      },
    }));
    at("original-body").replaceChildren(frame);
    openDialog(at("original"));
    at("original-title").focus();
  }

  function box(picture, x1, y1, x2, y2) {
    return drawing(picture,
      svg("path", { class: "outside", d: `M0 0H${picture.naturalWidth}V${picture.naturalHeight}H0ZM${x1} ${y1}V${y2}H${x2}V${y1}Z` }),
      svg("rect", { x: x1, y: y1, width: x2 - x1, height: y2 - y1 }));
  }

  // ---- Refusals
  function showRefused(to = 0) {
    if (!at("refused-rows") || refusedRows === null) return;
    const pressed = document.querySelector("[data-reason][aria-pressed=true]")?.dataset.reason;
    const words = at("refused-q").value.toLowerCase().split(/\s+/).filter(Boolean);
    const rows = refusedRows.filter((row) => (!pressed || row[3] === pressed) && words.every((word) => row.join(" ").toLowerCase().includes(word)));
    refusedPage = to;
    at("refused-found").textContent = `${number(rows.length)} of ${number(refusedRows.length)}`;
    at("refused-rows").replaceChildren(...rows.slice(to * ROWS, (to + 1) * ROWS).map((row) => {
      const [image, item, stage, reason, detail, ofImage] = row;
      return make("tr", {}, make("td", {}, ...filesOf(image, ofImage, reason)), make("td", {}, item === null ? "whole file" : String(item)),
        make("td", {}, stage), make("td", {}, reason), make("td", {}, detail ?? ""));
    }));
    pager(at("refused-pager"), to, rows.length, ROWS, (next) => { showRefused(next); at("refused-found").scrollIntoView({ block: "center" }); });
  }

  // Links to an image and its annotation. The file that causes the refusal is in bold.
  function filesOf(image, ofImage, reason) {
    if (!/^[0-9]{6}$/.test(image)) return [String(image)];
    const link = (kind, path, fault) => make(fault ? "strong" : "span", { class: "file" }, make("a", { href: `${source}/${path}`, target: "_blank" }, kind));
    const there = reason !== "missing_image";
    return [`${image} `, there ? link("image", `image/${image}.jpg`, ofImage) : make("strong", { class: "file" }, "no image"), " ", link("annotation", `annos/${image}.json`, !ofImage)];
  }

  // ---- Pages and addresses
  function remember() {
    const values = new URLSearchParams();
    if (at("q").value) values.set("q", at("q").value);
    for (const name of groups) {
      if (chosen(name).length) values.set(name, chosen(name).join("."));
    }
    for (const name of ["named", "order"]) if (at(name).value && at(name).value !== "id") values.set(name, at(name).value);
    if (page) values.set("page", page + 1);
    cameFrom = `#/browse${[...values].length ? `?${values}` : ""}`;
    if (location.hash === "" || location.hash.startsWith("#/browse")) history.replaceState(null, "", cameFrom);
  }

  function recall(text) {
    const values = new URLSearchParams(text);
    at("q").value = values.get("q") ?? "";
    for (const name of groups) {
      const wanted = new Set((values.get(name) ?? "").split("."));
      document.querySelectorAll(`#${name} input`).forEach((input) => { input.checked = wanted.has(input.value); });
    }
    for (const name of ["named", "order"]) {
      const wanted = values.get(name) ?? (name === "order" ? "id" : "");
      at(name).value = [...at(name).options].some((one) => one.value === wanted) ? wanted : at(name).options[0].value;
    }
    if (/[0-9]/.test(at("q").value)) load(data.images).then(() => refresh(Number(values.get("page") ?? 1) - 1));
    else refresh(Number(values.get("page") ?? 1) - 1);
  }

  function route() {
    const [, name = "browse", rest = ""] = location.hash.match(/^#\/([a-z]+)(?:[/?](.*))?$/) ?? [];
    const before = section;
    section = name === "sku" ? "browse" : ["readiness", "checks", "retrieval", "refusals"].includes(name) && at(name) ? name : "browse";
    for (const one of document.querySelectorAll("main > section")) one.hidden = one.id !== section;
    at("splits").open = false;
    if (section !== before) scrollTo(0, 0);
    for (const link of document.querySelectorAll(".top > nav a")) {
      if (link.getAttribute("href") === `#/${section}`) link.setAttribute("aria-current", "page");
      else link.removeAttribute("aria-current");
    }
    if (section === "refusals") load(about.refused).then(() => showRefused(refusedPage));
    if (name === "sku" && isSku(rest)) {
      if (cameFrom === null) recall("");
      showSku(rest);
      return;
    }
    const back = at("sku").open ? openSku : -1;
    at("original").close();
    at("sku").close();
    if (section !== "browse" || data === null) return;
    if (cameFrom === null || (location.hash !== cameFrom && location.hash !== "#/browse")) recall(rest);
    else remember();
    if (back >= 0) [...at("grid").querySelectorAll("a")].find((link) => link.hash === `#/sku/${data.ids[back]}`)?.focus();
  }

  function choices(name, labels) {
    at(name).replaceChildren(...labels.map(([value, label]) => make("label", {},
      make("input", { type: "checkbox", name, value, onchange: () => refresh() }),
      make("span", { class: "chip" }, label, make("span", { class: "n" })))));
  }

  function start(index) {
    data = index;
    data.places = new Map(data.ids.map((id, place) => [id, place]));
    facets = ["domain", ...Object.keys(data.labels)];
    groups = [...facets, "category"];
    const there = new Set(data.ids.map((_, place) => category(place)));
    const values = { domain: DOMAINS };
    Object.entries(data.labels).forEach(([name, meanings], i) => {
      const isGiven = data.looks.every((look) => look[i + 1] < meanings.length);
      values[name] = isGiven ? meanings : [...meanings, NOT_GIVEN];
    });
    // An option is a bit when they are counted, so there are at most 31.
    options = facets.flatMap((name) => values[name].map((_, value) => `${name}-${value}`));
    for (const name of facets) choices(name, values[name].map((label, value) => [value, label]));
    choices("category", Object.entries(data.categories).filter(([id]) => there.has(Number(id))));
    at("named").replaceChildren(make("option", { value: "" }, "all SKUs"), make("option", { value: "any" }),
      ...data.checks.map((_, check) => make("option", { value: check })));
    at("similar-by")?.replaceChildren(...Object.keys(data.similar).map((encoder) => make("option", {}, encoder)));
    at("similar-by")?.addEventListener("change", showSimilar);
    at("named-field").hidden = data.checks.length === 0;
    // Layers are the labels and the crop variants, which have a suffix of files. `parts` has the
    // values of the files that were loaded.
    for (const layer of data.layers) layer.parts = new Map();
    const variants = data.layers.flatMap(({ name, suffix }, value) => (suffix ? [make("option", { value }, name)] : []));
    at("variant").replaceChildren(make("option", { value: "" }, "as in the contract"), ...variants);
    at("variant-field").hidden = variants.length === 0;
    at("labels-field").hidden = variants.length === data.layers.length;
    at("views").hidden = data.layers.length === 0;
    route();
    document.body.dataset.ready = "yes";
  }

  // ---- Other splits: a file next to this folder lists them. A copy of the folder lacks it.
  at("splits").addEventListener("toggle", () => {
    if (at("splits").open) load("../splits.js").then(() => showSplits(splits), () => showSplits([]));
  });

  function showSplits(names) {
    const others = names.filter((name) => name !== about.split);
    at("split-links").replaceChildren(...(others.length
      ? others.map((name) => make("a", { href: `../${name}/index.html#/${section}` }, name))
      : [make("span", {}, "There is no page of another split.")]));
  }

  document.addEventListener("click", (event) => { if (!at("splits").contains(event.target)) at("splits").open = false; });
  at("splits").addEventListener("keydown", (event) => { if (event.key === "Escape") { at("splits").open = false; at("splits").firstElementChild.focus(); } });

  // ---- On a narrow screen, filters are closed until somebody opens them.
  const narrow = matchMedia("(max-width: 60rem)");
  const fold = () => { at("choices").open = !narrow.matches; };
  narrow.addEventListener("change", fold);
  fold();

  at("filters").addEventListener("submit", (event) => event.preventDefault());
  at("filters").addEventListener("reset", () => setTimeout(() => { at("order").value = "id"; refresh(); at("q").focus(); }));
  at("q").addEventListener("input", () => {
    if (/[0-9]/.test(at("q").value) && images === null) load(data.images).then(() => refresh());
    else refresh();
  });
  for (const id of ["named", "order"]) at(id).addEventListener("change", () => refresh());
  at("previous").addEventListener("click", () => step(-1));
  at("next").addEventListener("click", () => step(1));
  const leave = () => { location.hash = cameFrom ?? "#/browse"; };
  at("close").addEventListener("click", leave);
  at("sku").addEventListener("cancel", (event) => { event.preventDefault(); leave(); });
  at("original-close").addEventListener("click", () => at("original").close());
  for (const dialog of document.querySelectorAll("dialog")) {
    dialog.addEventListener("click", (event) => { if (event.target === dialog) (dialog.id === "sku" ? leave() : dialog.close()); });
  }
  for (const id of ["variant", "labels"]) at(id).addEventListener("change", changeLayers);
  at("sku").addEventListener("keydown", (event) => {
    if (event.target.tagName === "SELECT") return;
    if (event.key === "ArrowLeft") step(-1);
    if (event.key === "ArrowRight") step(1);
  });
  document.addEventListener("keydown", (event) => {
    const typing = /^(INPUT|SELECT|TEXTAREA)$/.test(event.target.tagName) && event.target.type !== "checkbox";
    if (event.key === "/" && !typing && !at("sku").open) { event.preventDefault(); location.hash = cameFrom ?? "#/browse"; at("browse").hidden = false; at("q").focus(); at("q").select(); }
  });
  document.querySelectorAll("[data-reason]").forEach((button) => button.addEventListener("click", () => {
    const on = button.getAttribute("aria-pressed") === "true";
    document.querySelectorAll("[data-reason]").forEach((one) => one.setAttribute("aria-pressed", String(one === button && !on)));
    showRefused();
  }));
  at("refused-q")?.addEventListener("input", () => showRefused());
  const dark = () => document.documentElement.dataset.theme === "dark"
    || (document.documentElement.dataset.theme !== "light" && matchMedia("(prefers-color-scheme: dark)").matches);
  at("theme").setAttribute("aria-pressed", String(dark()));
  at("theme").addEventListener("click", () => {
    document.documentElement.dataset.theme = dark() ? "light" : "dark";
    at("theme").setAttribute("aria-pressed", String(dark()));
  });
  addEventListener("hashchange", route);

  return {
    index: start,
    details: (file, skus) => details.set(file, skus),
    layer: (layer, file, values) => data.layers[layer].parts.set(file, values),
    images: (list) => { images = list; },
    refused: (rows) => { refusedRows = rows; },
    similar: (encoder, skus) => similar.set(encoder, skus),
    splits: (names) => { splits = names; },
  };
})();
