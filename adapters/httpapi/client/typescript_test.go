package client_test

import (
	"encoding/json"
	"os"
	"strings"
	"testing"
)

// TestTypeScriptIsShown: the README shows update.ts, which its lines check.
func TestTypeScriptIsShown(t *testing.T) {
	t.Parallel()
	readme, err := os.ReadFile("../../../README.md")
	check(t, err)
	program, err := os.ReadFile("generators/openapi-typescript/update.ts")
	check(t, err)
	indented := "    " + strings.ReplaceAll(strings.TrimSpace(string(program)), "\n", "\n    ")
	if !strings.Contains(string(readme), strings.ReplaceAll(indented, "    \n", "\n")) {
		t.Error("the README's program is not generators/openapi-typescript/update.ts")
	}
}

// known tells check.ts of the server and what it knows.
func known(t *testing.T, baseURL string) string {
	t.Helper()
	data, err := json.Marshal(map[string]any{
		"url": baseURL, "liveKey": liveKey, "disabledKey": disabledKey, "pin": livePIN, "wrongPin": wrongPIN,
		"maxPhotoBytes": maxPhotoBytes, "jpeg": encode(picture(t, 20)),
		"phones": map[string]int{"live": livePhone, "lock": lockPhone, "down": downPhone, "bug": bugPhone, "unused": unusedPhone},
	})
	check(t, err)
	return string(data)
}
