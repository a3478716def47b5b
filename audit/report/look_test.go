package report_test

import (
	"bytes"
	"flag"
	"fmt"
	"path/filepath"
	"testing"

	"vlens-archiver/store"
)

// pictures is where to leave what the browser sees, for people to look at.
var pictures = flag.String("pictures", "", "write pictures of the report to this `folder`")

// Anything that reaches beyond a width, except inside a region that scrolls by
// itself. A phone's window grows with what is in it, so innerWidth does not tell.
const overflowing = `(width => [...document.querySelectorAll('body *')]
	.filter(e => !e.closest('.wide, .defs, thead') && e.getBoundingClientRect().right > width + 0.5)
	.map(e => e.tagName + '.' + (e.getAttribute('class') || '') + ' ' + e.textContent.slice(0, 40))
	.concat(document.documentElement.scrollWidth > width ? ['the page: ' + document.documentElement.scrollWidth] : []))(%d)`

// Text whose contrast with the ground is below 4.5 (WCAG 2.2, 1.4.3).
const tooFaint = `(() => {
	const channels = c => c.match(/[\d.]+/g).map(Number);
	const light = c => { const [r, g, b] = channels(c).map(v => v / 255).map(v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4); return 0.2126 * r + 0.7152 * g + 0.0722 * b; };
	const ground = light(getComputedStyle(document.body).backgroundColor);
	const ratio = c => { const l = light(c); return (Math.max(l, ground) + 0.05) / (Math.min(l, ground) + 0.05); };
	return [...document.querySelectorAll('body *')]
		.filter(e => [...e.childNodes].some(n => n.nodeType === 3 && n.data.trim()) && e.tagName !== 'title')
		.map(e => [e, getComputedStyle(e)])
		.map(([e, s]) => [e, ratio(e instanceof SVGElement ? s.fill : s.color)])
		.filter(([, r]) => r < 4.5)
		.map(([e, r]) => r.toFixed(2) + ': ' + e.textContent.slice(0, 40));
})()`

// Headings that skip a level, or a first heading that is not the only one.
const headings = `(() => {
	const levels = [...document.querySelectorAll('h1, h2, h3, h4, h5, h6')].map(h => Number(h.tagName[1]));
	const wrong = levels.filter((l, n) => n === 0 ? l !== 1 : l === 1 || l > levels[n - 1] + 1);
	return levels.length ? wrong.map(String) : ['no heading'];
})()`

// Drawings and tables that say nothing to those who do not see them.
const mute = `[...document.querySelectorAll('svg')].filter(s => !s.closest('[aria-hidden=true]') && !(s.getAttribute('role') === 'img' && s.getAttribute('aria-label')))
	.concat([...document.querySelectorAll('table')].filter(t => !t.querySelector('thead th[scope=col]') || [...t.querySelectorAll('tbody tr')].some(r => !r.querySelector('th[scope=row]'))))
	.map(e => e.outerHTML.slice(0, 60))`

// What paper may cut in two although it is one thing.
const cuttable = `[...document.querySelectorAll('svg, tr, .keys')].filter(e => !e.closest('.defs, svg svg') && getComputedStyle(e).breakInside !== 'avoid').map(e => e.outerHTML.slice(0, 60))`

func TestReportInChromium(t *testing.T) {
	t.Parallel()
	h := newHistory(t)
	b := newBrowser(t)
	for name, scope := range map[string]store.ReportScope{"month": {}, "run": {RunID: h.last}} {
		body, _ := h.page(scope)
		file := b.file(name+".html", body)
		for _, width := range []int64{360, 1280} {
			for _, scheme := range []string{"light", "dark"} {
				b.open(file, width, scheme)
				b.run(openDetails(false))
				if *pictures != "" {
					b.picture(filepath.Join(*pictures, fmt.Sprintf("%s-%d-%s.png", name, width, scheme)), "body")
				}
				for what, check := range map[string]string{
					"wider than the window": fmt.Sprintf(overflowing, width), "too faint": tooFaint, "wrong headings": headings, "mute": mute,
				} {
					for _, found := range b.ask(check) {
						t.Errorf("%s, %d px, %s: %s: %s", name, width, scheme, what, found)
					}
				}
				b.run(openDetails(true))
				for _, found := range b.ask(fmt.Sprintf(overflowing, width)) {
					t.Errorf("%s, %d px, with the table: wider than the window: %s", name, width, found)
				}
			}
		}
		b.run(printed())
		for what, check := range map[string]string{"cut on paper": cuttable, "too faint on paper": tooFaint} {
			for _, found := range b.ask(check) {
				t.Errorf("%s: %s: %s", name, what, found)
			}
		}
		b.open(file, 1280, "dark")
		pdf := b.paper()
		if pages := bytes.Count(pdf, []byte("/Type /Page\n")); pages < 3 || pages > 12 {
			t.Errorf("%s: %d pages on paper", name, pages)
		}
		if *pictures != "" {
			b.write(filepath.Join(*pictures, name+".pdf"), pdf)
		}
		b.quiet(file)
	}
	if *pictures != "" {
		body, _ := h.page(store.ReportScope{})
		b.open(b.file("readme.html", body), 780, "light")
		b.picture(filepath.Join(*pictures, "readme.png"), "section:nth-of-type(2)")
	}
}
