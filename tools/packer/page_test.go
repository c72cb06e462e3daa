package main

import (
	"image/color"
	"image/png"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"rules_go_multiarch/internal/testenv"
	"rules_go_multiarch/tools/packer/internal/packed"
)

func writeTestPage(t *testing.T) string {
	t.Helper()
	out := filepath.Join(t.TempDir(), "page.html")
	must(t, "info", "--html", out, testenv.Probe(t).Packed)
	return out
}

func TestInfoPage(t *testing.T) {
	out := writeTestPage(t)
	text, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	page := string(text)
	f, err := packed.Open(testenv.Probe(t).Packed)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	wants := []string{"<title>", "0x2a008000", "<code>.text</code>", "<h2>Modules</h2>\n<div", f.Manifest.BuildID}
	for _, l := range f.Levels {
		wants = append(wants, l.SHA256)
	}
	for _, want := range wants {
		if !strings.Contains(page, want) {
			t.Errorf("no %q in the page", want)
		}
	}
	// It shows everything by itself.
	for _, foreign := range []string{"<script", "http://", "https://", "src=", "@import"} {
		if strings.Contains(page, foreign) {
			t.Errorf("the page has %q", foreign)
		}
	}
	if again, err := os.ReadFile(writeTestPage(t)); err != nil || string(again) != page {
		t.Errorf("another page the second time (%v)", err)
	}
}

// TestInfoPageInBrowser has a browser draw the page, and finds the colour of
// each level in the picture.
func TestInfoPageInBrowser(t *testing.T) {
	chromium := testenv.Tool(t, "chromium")
	dir := t.TempDir()
	shot := filepath.Join(dir, "page.png")
	out, err := exec.Command(chromium, "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
		"--disable-background-networking", "--disable-component-update", "--disable-sync", "--user-data-dir="+filepath.Join(dir, "profile"),
		"--window-size=1100,1200", "--screenshot="+shot, "file://"+writeTestPage(t)).CombinedOutput()
	if err != nil {
		t.Fatalf("chromium: %v\n%s", err, out)
	}
	file, err := os.Open(shot)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	picture, err := png.Decode(file)
	if err != nil {
		t.Fatal(err)
	}
	count := map[color.RGBA]int{}
	for y := range picture.Bounds().Dy() {
		for x := range picture.Bounds().Dx() {
			count[color.RGBAModel.Convert(picture.At(x, y)).(color.RGBA)]++
		}
	}
	for level, want := range map[string]color.RGBA{
		"v1": {0x56, 0xb4, 0xe9, 255}, "v2": {0x00, 0x9e, 0x73, 255}, "v3": {0xe6, 0x9f, 0x00, 255}, "v4": {0xcc, 0x79, 0xa7, 255},
	} {
		// A bar as wide as a fifth of the page.
		if count[want] < 200*20 {
			t.Errorf("%d pixels in the colour of %s", count[want], level)
		}
	}
}
