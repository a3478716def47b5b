package export_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"vlens-archiver/audit/audittest"
	"vlens-archiver/audit/export"
)

// The rules by which bags are checked here refuse what is no valid bag.
func TestBagRulesRefuseBrokenBags(t *testing.T) {
	t.Parallel()
	r := audittest.NewSealed(t)
	image := "id_front.*"
	for name, breakIt := range map[string]func(f forgery){
		"a payload file changed": func(f forgery) { f.edit(image, audittest.Flip) },
		"a payload file cut":     func(f forgery) { f.edit(image, func(b []byte) []byte { return b[1:] }) },
		"a payload file missing": func(f forgery) { f.remove(image) },
		"a payload file more":    func(f forgery) { f.write("data/more", "x") },
		"a tag file changed":     func(f forgery) { f.replaceIn("VERIFY.txt", "Open a", "Close a") },
		"a tag file more":        func(f forgery) { f.write("notes.txt", "x") },
		"no declaration":         func(f forgery) { f.removeFile("bagit.txt") },
		"another version":        func(f forgery) { f.replaceIn("bagit.txt", "1.0", "0.97") },
		"a byte order mark":      func(f forgery) { f.replaceIn("bagit.txt", "BagIt", "\ufeffBagIt") },
		"no manifest":            func(f forgery) { f.removeFile("manifest-sha256.txt") },
		"no tag manifest":        func(f forgery) { f.removeFile("tagmanifest-sha256.txt") },
		"a manifest line twice": func(f forgery) {
			f.editFile(f.folder+"/manifest-sha256.txt", func(b []byte) []byte { return append(b, b...) })
		},
		"a manifest line less": func(f forgery) {
			f.editFile(f.folder+"/manifest-sha256.txt", func(b []byte) []byte { return b[strings.Index(string(b), "\n")+1:] })
		},
		"a path out of the bag":      func(f forgery) { f.replaceIn("manifest-sha256.txt", "  data/", "  ../data/") },
		"an escape that is none":     func(f forgery) { f.replaceIn("manifest-sha256.txt", "data/export", "data%2Fexport") },
		"another Payload-Oxum":       func(f forgery) { f.replaceIn("bag-info.txt", "Payload-Oxum: ", "Payload-Oxum: 1") },
		"no Payload-Oxum":            func(f forgery) { f.replaceIn("bag-info.txt", "Payload-Oxum", "Oxum") },
		"files to be fetched":        func(f forgery) { f.write("fetch.txt", "http://127.0.0.1/ 1 data/x\n") },
		"a manifest of another hash": func(f forgery) { f.write("manifest-md5.txt", "") },
	} {
		t.Run(name, func(t *testing.T) {
			folder := filepath.Join(t.TempDir(), "evidence")
			if _, err := r.Exporter().Export(t.Context(), audittest.SubjectOf("u-000001"), audittest.Reason, export.Folder(folder)); err != nil {
				t.Fatal(err)
			}
			if problems := bagProblems(os.DirFS(folder)); len(problems) > 0 {
				t.Fatalf("before: %q", problems)
			}
			breakIt(forgery{t, folder})
			if problems := bagProblems(os.DirFS(folder)); len(problems) == 0 {
				t.Error("it passes")
			}
		})
	}
}
