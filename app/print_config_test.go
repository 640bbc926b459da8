package app

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestPrintConfig: each setting is printed with where it comes from, and
// nothing is started or made.
func TestPrintConfig(t *testing.T) {
	t.Parallel()
	key := strings.Repeat("5e", 32)
	files := map[string]string{
		"key": key + "\n", "windows": "postgres://u:SECRET@db/x\r\n", "database": "postgres://u:SECRET@db/x\n", "store": "s3://photos?region=eu-west-1\n",
		"empty": "\n", "other": "mysql://u:SECRET@db/x", "short": "00ff",
	}
	const secretKey, database = "FLEETPHOTO_PIN_KEY", "FLEETPHOTO_DATABASE_URL"
	for _, test := range []struct {
		name, settings, args string
		want                 string // a line, its columns by single spaces; or the sentence where complaint is set
		complaint            bool
	}{
		{"default", "", "", database + " sqlite://fleetphoto-data/fleetphoto.db default", false},
		{"nothing", "", "", secretKey + " - default", false},
		{"environment", "FLEETPHOTO_MAX_PHOTO_BYTES=1MiB", "", "FLEETPHOTO_MAX_PHOTO_BYTES 1048576 environment", false},
		{"flag", "FLEETPHOTO_PAGES=on", "--pages=off", "FLEETPHOTO_PAGES off flag", false},
		{"as it is used", "FLEETPHOTO_PHOTO_BASE_URL=https://h/p", "", "FLEETPHOTO_PHOTO_BASE_URL https://h/p/ environment", false},
		{"key", secretKey + "=" + key, "", secretKey + " hidden environment", false},
		{"key from a file", secretKey + "_FILE=key", "", secretKey + " hidden file", false},
		{"file of Windows", "FLEETPHOTO_API_LOG_URL_FILE=windows", "", "FLEETPHOTO_API_LOG_URL postgres://hidden@db/x file", false},
		{"file", database + "_FILE=database " + secretKey + "_FILE=key", "", database + " postgres://hidden@db/x file", false},
		{"fleets", "FLEETPHOTO_FLEET_AUTH_URL_FILE=database", "", "FLEETPHOTO_FLEET_AUTH_URL postgres://hidden@db/x file", false},
		{"customers", "FLEETPHOTO_CUSTOMER_REPO_URL_FILE=database " + secretKey + "_FILE=key", "", "FLEETPHOTO_CUSTOMER_REPO_URL postgres://hidden@db/x file", false},
		{"log", "FLEETPHOTO_API_LOG_URL_FILE=database", "", "FLEETPHOTO_API_LOG_URL postgres://hidden@db/x file", false},
		{"photos", "FLEETPHOTO_PHOTO_STORE_URL_FILE=store", "", "FLEETPHOTO_PHOTO_STORE_URL s3://photos?region=eu-west-1 file", false},
		{"an empty variable is none", database + "= " + database + "_FILE=database " + secretKey + "_FILE=key", "", database + " postgres://hidden@db/x file", false},
		{"a flag goes before a file", database + "_FILE=database", "--database-url=memory://", database + " memory:// flag", false},
		{"no secret", "FLEETPHOTO_ADDR_FILE=nowhere", "", "FLEETPHOTO_ADDR :8080 default", false},

		{"both", database + "=memory:// " + database + "_FILE=database", "", database + ": set either this or " + database + "_FILE, not both", true},
		{"both keys", secretKey + "=SECRET " + secretKey + "_FILE=key", "", secretKey + ": set either this or " + secretKey + "_FILE, not both", true},
		{"no file", secretKey + "_FILE=SECRET", "", secretKey + "_FILE: want the path of a file that can be read: ", true},
		{"a directory", secretKey + "_FILE=.", "", secretKey + "_FILE: want the path of a file that can be read: ", true},
		{"empty file", database + "_FILE=empty", "", database + "_FILE: the file is empty", true},
		{"wrong URL", database + "_FILE=other", "", database + ": want a URL that begins with ", true},
		{"wrong key", secretKey + "_FILE=short", "", secretKey + ": ", true},
		{"no key", database + "_FILE=database", "", secretKey + ": it is missing", true},
		{"signed", "FLEETPHOTO_PHOTO_URL=signed", "", "FLEETPHOTO_PHOTO_URL signed environment", false},
		{"with a demo", "", "--demo", "--demo and --print-config can't be used together", true},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			directory := t.TempDir()
			for name, text := range files {
				check(t, os.WriteFile(filepath.Join(directory, name), []byte(text), 0o600))
			}
			args := append([]string{"serve", "--print-config"}, strings.Fields(test.args)...)
			out, err := command(t, directory, strings.Fields(test.settings), args...).CombinedOutput()
			var lines []string
			for line := range strings.Lines(string(out)) {
				lines = append(lines, strings.Join(strings.Fields(line), " "))
			}
			printed := "\n" + strings.Join(lines, "\n") + "\n"
			if test.complaint && (err == nil || !strings.Contains(lastLine(printed), test.want)) {
				t.Errorf("got %v %s, want a last line with %s", err, out, test.want)
			}
			if !test.complaint && (err != nil || !strings.Contains(printed, "\n"+test.want+"\n")) {
				t.Errorf("got %v %s, want a line %s", err, out, test.want)
			}
			if strings.Contains(printed, "SECRET") || strings.Contains(printed, key) {
				t.Errorf("a secret is printed: %s", out)
			}
			if left, err := os.ReadDir(directory); err != nil || len(left) != len(files) {
				t.Errorf("something was made: %v, %v", left, err)
			}
		})
	}
}
