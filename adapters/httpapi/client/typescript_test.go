package client_test

import (
	"encoding/json"
	"os"
	"strings"
	"testing"
)

// TestTypeScriptIsShown: docs/clients.md shows update.ts, which its commands compile.
func TestTypeScriptIsShown(t *testing.T) {
	t.Parallel()
	document, err := os.ReadFile("../../../docs/clients.md")
	check(t, err)
	program, err := os.ReadFile("generators/openapi-typescript/update.ts")
	check(t, err)
	if !strings.Contains(string(document), "```ts\n"+string(program)+"```\n") {
		t.Error("the program in docs/clients.md is not generators/openapi-typescript/update.ts")
	}
}

// known returns check.ts's argument: the server's URL and test data, as JSON.
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
