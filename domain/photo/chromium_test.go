package photo_test

import (
	"encoding/base64"
	"encoding/binary"
	"encoding/json"

	"fmt"
	"html"
	"image"
	"maps"
	"math"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/fleetphoto/fleetphoto/domain/photo"
)

// shown is what a browser shows of a file on white: the mean colours in a grid
// of 4 × 4 parts, row by row.
type shown struct {
	Width, Height int // 0: it shows nothing
	Grid          [16][3]float64
}

// chromiumPage draws the pictures when all have loaded or failed, and replaces
// its body by what it saw.
const chromiumPage = `<!DOCTYPE html><meta charset="utf-8"><body>IMAGES<script>
const overlaps = length => Array.from({length}, (_, i) => [0, 1, 2, 3].map(part => ({
	part, share: Math.min((i + 1) * 4 / length, part + 1) - Math.max(i * 4 / length, part)})).filter(o => o.share > 0))
function see(img) {
	const Width = img.naturalWidth, Height = img.naturalHeight, Grid = Array.from({length: 16}, () => [0, 0, 0])
	if (Width == 0) return {Width, Height, Grid}
	const canvas = document.createElement("canvas")
	canvas.width = Width, canvas.height = Height
	const context = canvas.getContext("2d", {willReadFrequently: true})
	context.fillStyle = "white"
	context.fillRect(0, 0, Width, Height)
	context.drawImage(img, 0, 0)
	const {data} = context.getImageData(0, 0, Width, Height), across = overlaps(Width)
	let at = 0
	for (const rows of overlaps(Height)) for (const columns of across) {
		for (const r of rows) for (const c of columns) {
			const sum = Grid[4 * r.part + c.part], share = r.share * c.share
			for (let i = 0; i < 3; i++) sum[i] += share * data[at + i]
		}
		at += 4
	}
	return {Width, Height, Grid}
}
addEventListener("load", () => { document.body.textContent = JSON.stringify([...document.images].map(see)) })
</script>`

// showAll has one Chromium show all files.
func showAll(t *testing.T, files [][]byte) []shown {
	t.Helper()
	program := chromium(t)
	var images strings.Builder
	for _, data := range files {
		fmt.Fprintf(&images, "<img src=\"data:%s;base64,%s\">", http.DetectContentType(data), base64.StdEncoding.EncodeToString(data))
	}
	folder := t.TempDir()
	writeFile(t, folder, "page.html", []byte(strings.Replace(chromiumPage, "IMAGES", images.String(), 1)))
	out, err := run(t.Context(), program, "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-dev-shm-usage",
		"--disable-background-networking", "--disable-component-update", "--host-resolver-rules=MAP * ~NOTFOUND",
		"--force-color-profile=srgb", "--user-data-dir="+filepath.Join(folder, "profile"), "--dump-dom", "file://"+filepath.Join(folder, "page.html"))
	if err != nil {
		t.Fatal(err)
	}
	_, out, _ = strings.Cut(out, "<body>")
	out, _, _ = strings.Cut(out, "</body>")
	var all []shown
	if err := json.Unmarshal([]byte(html.UnescapeString(out)), &all); err != nil || len(all) != len(files) {
		t.Fatalf("Chromium saw %d of %d pictures: %v: %.200s", len(all), len(files), err, out)
	}
	return all
}

func chromium(t *testing.T) string {
	t.Helper()
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome", "chrome"} {
		if program, err := exec.LookPath(name); err == nil {
			return program
		}
	}
	if slices.Contains(strings.Split(os.Getenv(requireVariable), ","), "browser") {
		t.Fatalf("%s requires browser, and neither Chromium nor Chrome is installed", requireVariable)
	}
	t.Skip("neither Chromium nor Chrome is installed: photos are not compared with what they show")
	return ""
}

// chromiumSamples are the corpora, the cases of this package and of jpeg, what
// other encoders make, phones' photos and every carrier of a profile. Profiles
// over the cap are left out: they are dropped, so Chromium shows other colours.
func chromiumSamples(t *testing.T) []sample {
	t.Helper()
	folders := corpora(t)
	folders["cases"], folders["corners"], folders["jpeg"] = "testdata/cases", "testdata", "jpeg/testdata"
	var all []sample
	for _, corpus := range slices.Sorted(maps.Keys(folders)) {
		for _, s := range samples(t, corpus, folders[corpus]) {
			if ext := filepath.Ext(s.name); isPicture(s.name) && ext != ".bmp" && ext != ".tiff" {
				all = append(all, s)
			}
		}
	}
	for orientation := 1; orientation <= 8; orientation++ {
		all = append(all, sample{fmt.Sprintf("phone/%d", orientation), phonePhoto(t, quadrants(), binary.BigEndian, orientation)})
	}
	for _, m := range accepted {
		t.Run(m.name, func(t *testing.T) { all = append(all, sample{"made/" + m.name, m.make(t)}) })
	}
	for name, components := range map[string]int{"sRGB": 3, "Adobe RGB": 3, "Display P3": 3, "table": 3, "long table": 3, "grey": 1, "CMYK": 3} {
		for carrier, data := range carriers(t, photo.Profile(name, ""), components) {
			all = append(all, sample{"profiles/" + name + ", " + carrier, data})
		}
	}
	return all
}

// knownDifferences are the files whose photo looks different in Chromium, and why.
var knownDifferences = map[string]string{
	"cases/exif_o6_BYTE.jpg":       "Chromium wants an orientation to be of type SHORT; libvips, ImageMagick and we take any whole number",
	"cases/png_idat_badcrc.png":    "refused, as its pixels may be wrong; Chromium doesn't compare checksums",
	"jpeg/no_eoi.jpg":              "Chromium doesn't draw the last rows of a baseline JPEG without EOI, though all are there",
	"corners/corners.alpha.webp":   "Chromium smooths halved chroma, and golang.org/x/image doesn't, which shows at edges of full colours",
	"png/invalid-palette.png":      "16 pixels a side, in full colours: a JPEG's halved chroma mixes them",
	"ximage/yellow_rose-small.png": "16 pixels a side: the same",
	"jpeg/trunc_90pct.jpg":         "refused: rows are missing, which Chromium leaves white",
}

// How far a stored photo may be from what Chromium shows, in levels: the mean of
// the whole picture, and that of each part of the grid.
const (
	meanSlack = 3
	gridSlack = 10 // Lanczos's filter overshoots at the edges of full colours
)

// TestChromium compares stored photos, large and small, with what Chromium shows
// of the files they were made of. Chromium draws both, with their profiles.
func TestChromium(t *testing.T) {
	t.Parallel()
	all := chromiumSamples(t)
	sides := []int{1024, 64}
	var files [][]byte
	var refusals []error
	for _, s := range all {
		files, refusals = append(files, s.data), append(refusals, nil)
		for _, side := range sides {
			got, err := read(t, withSide(side), s.data)
			files, refusals = append(files, got.JPEG()), append(refusals, err)
		}
	}
	seen := showAll(t, files)
	compared, differ := 0, map[string]bool{}
	for i, s := range all {
		for j, side := range sides {
			at := i*(1+len(sides)) + 1 + j
			want, got := seen[i*(1+len(sides))], seen[at]
			if want.Width > 0 && refusals[at] == nil {
				compared++
			}
			if err := want.compare(got, side, refusals[at]); err != nil {
				differ[s.name] = true
				if knownDifferences[s.name] == "" {
					t.Errorf("%s at most %d: %v", s.name, side, err)
				}
			}
		}
	}
	for name := range knownDifferences {
		if !differ[name] {
			t.Errorf("%s looks the same in Chromium: remove it from the known differences", name)
		}
	}
	if compared < 200*len(sides) {
		t.Errorf("only %d photos were compared", compared)
	}
	t.Logf("compared %d photos of %d files", compared, len(all))
}

// compare wants a file to be stored as it is shown, scaled to a side, or refused
// if it isn't shown.
func (want shown) compare(got shown, side int, refusal error) error {
	if (want.Width == 0) != (refusal != nil) {
		return fmt.Errorf("Chromium shows %d × %d, Read says %w", want.Width, want.Height, refusal)
	}
	if err := checkScaledSize(image.Pt(got.Width, got.Height), scaledSize(image.Pt(want.Width, want.Height), side)); err != nil {
		return err
	}
	mean, grid := 0.0, 0.0
	for c := range 3 {
		sum := 0.0
		for k := range want.Grid {
			difference := got.Grid[k][c] - want.Grid[k][c]
			sum, grid = sum+difference, max(grid, math.Abs(difference))
		}
		mean = max(mean, math.Abs(sum)/16)
	}
	if mean > meanSlack || grid > gridSlack {
		return fmt.Errorf("%.1f levels apart, in a part of it %.1f", mean, grid)
	}
	return nil
}
