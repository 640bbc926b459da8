package gocloud

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// withEnvironment sets what the SDKs read: nothing but this.
func withEnvironment(t *testing.T, variables map[string]string) {
	t.Helper()
	for _, name := range []string{
		"AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3", "AWS_REGION", "AWS_DEFAULT_REGION", "AWS_PROFILE", "AWS_SESSION_TOKEN",
		"STORAGE_EMULATOR_HOST", "GOOGLE_APPLICATION_CREDENTIALS", "GCE_METADATA_HOST",
		"AZURE_STORAGE_ACCOUNT", "AZURE_STORAGE_KEY", "AZURE_STORAGE_SAS_TOKEN", "AZURE_STORAGE_CONNECTION_STRING", "AZURE_STORAGE_DOMAIN",
	} {
		t.Setenv(name, variables[name])
	}
	t.Setenv("AWS_ACCESS_KEY_ID", "key")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "s3cret")
	t.Setenv("AWS_EC2_METADATA_DISABLED", "true")
	t.Setenv("AWS_CONFIG_FILE", "none")
	t.Setenv("AWS_SHARED_CREDENTIALS_FILE", "none")
	for name, value := range variables {
		t.Setenv(name, value)
	}
}

func TestPublicAddress(t *testing.T) {
	nobody := filepath.Join(t.TempDir(), "nobody.json")
	if err := os.WriteFile(nobody, []byte(`{"type":"authorized_user","client_id":"x","client_secret":"y","refresh_token":"z"}`), 0o600); err != nil {
		t.Fatal(err)
	}
	const aws = ".amazonaws.com/fleet-7/customer_photos/42_photo.jpg"
	for _, c := range []struct {
		url         string
		environment map[string]string
		want        string
	}{
		{"s3://iWebCab", nil, "https://iWebCab.s3" + aws},
		{"s3://bucket?region=us-east-1", nil, "https://bucket.s3" + aws},
		{"s3://bucket/?region=eu-west-1", nil, "https://bucket.s3.eu-west-1" + aws},
		{"s3://bucket?use_path_style=true", nil, "https://s3.amazonaws.com/bucket/" + string(key)},
		{"s3://bucket?region=cn-north-1", nil, "https://bucket.s3.cn-north-1.amazonaws.com.cn/" + string(key)},
		{"s3://photos.example.com", nil, "https://s3.amazonaws.com/photos.example.com/" + string(key)},
		{"s3://photos.example.com?region=eu-west-1", nil, "https://s3.eu-west-1.amazonaws.com/photos.example.com/" + string(key)},
		{"s3://bucket?prefix=a/b&cache_control=private", nil, "https://bucket.s3.amazonaws.com/a/b/" + string(key)},
		{"s3://bucket?prefix=a/b/", nil, "https://bucket.s3.amazonaws.com/a/b/" + string(key)},
		{"s3://bucket?endpoint=http://127.0.0.1:7070&region=eu-west-1", nil, "http://127.0.0.1:7070/bucket/" + string(key)},
		{"s3://bucket?endpoint=https://s3.example.com/&use_path_style=false", nil, "https://bucket.s3.example.com/" + string(key)},
		{"s3://bucket", map[string]string{"AWS_REGION": "eu-west-1"}, "https://bucket.s3.eu-west-1" + aws},
		{"s3://bucket", map[string]string{"AWS_ENDPOINT_URL_S3": "http://127.0.0.1:7070"}, "http://127.0.0.1:7070/bucket/" + string(key)},
		{"gs://my_bucket?access_id=x%40y&private_key_path=open.go", map[string]string{"STORAGE_EMULATOR_HOST": "127.0.0.1:4443"}, "http://127.0.0.1:4443/my_bucket/" + string(key)},
		{"gs://bucket", map[string]string{"GOOGLE_APPLICATION_CREDENTIALS": nobody}, "https://storage.googleapis.com/bucket/" + string(key)},
		{"gs://bucket?prefix=a", map[string]string{"STORAGE_EMULATOR_HOST": "https://127.0.0.1:4443/"}, "https://127.0.0.1:4443/bucket/a/" + string(key)},
		{"azblob://photos?storage_account=taxi", map[string]string{"AZURE_STORAGE_SAS_TOKEN": "sv=1&sig=s3cret"}, "https://taxi.blob.core.windows.net/photos/" + string(key)},
		{"azblob://photos", map[string]string{"AZURE_STORAGE_ACCOUNT": "taxi", "AZURE_STORAGE_KEY": "a2V5"}, "https://taxi.blob.core.windows.net/photos/" + string(key)},
		{"azblob://photos?domain=blob.core.chinacloudapi.cn", map[string]string{"AZURE_STORAGE_ACCOUNT": "taxi", "AZURE_STORAGE_KEY": "a2V5"}, "https://taxi.blob.core.chinacloudapi.cn/photos/" + string(key)},
		{"azblob://photos?domain=127.0.0.1:10000&protocol=http", map[string]string{"AZURE_STORAGE_ACCOUNT": "taxi", "AZURE_STORAGE_KEY": "a2V5"}, "http://127.0.0.1:10000/taxi/photos/" + string(key)},
		{"azblob://photos?domain=azurite:10000&protocol=http&localemu=true&prefix=a", map[string]string{"AZURE_STORAGE_ACCOUNT": "taxi", "AZURE_STORAGE_KEY": "a2V5"}, "http://azurite:10000/taxi/photos/a/" + string(key)},
		{"azblob://photos", map[string]string{"AZURE_STORAGE_CONNECTION_STRING": "AccountName=taxi;AccountKey=a2V5;BlobEndpoint=http://127.0.0.1:10000/taxi"}, "http://127.0.0.1:10000/taxi/photos/" + string(key)},
	} {
		t.Run(c.url, func(t *testing.T) {
			withEnvironment(t, c.environment)
			store := opened(t, c.url)
			var err error
			if store.connection, err = store.connect(t.Context()); err != nil {
				t.Fatal(err)
			}
			if got := store.URL(key); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
			if !store.HasAddresses() {
				t.Error("HasAddresses says no")
			}
		})
	}
}

func TestOpenRefusesBuckets(t *testing.T) {
	withEnvironment(t, nil)
	for _, c := range []struct{ url, says string }{
		{"s3://", "want s3://name"},
		{"s3:bucket", "want s3://name"},
		{"gs://b", "want gs://name"},
		{"s3://bucket/photos", "prefix="},
		{"s3://key:s3cret@bucket", "environment"},
		{"azblob://s3cret@photos", "environment"},
		{"s3://bucket:80", "want s3://name"},
		{"s3://bucket#s3cret", "want s3://name"},
		{"s3://bu%20cket", "not a URL"},
		{"s3://bucket?secret_key=s3cret", `takes no parameter "secret_key"; it takes cache_control, endpoint, prefix, profile, region, request_checksum_calculation, use_path_style`},
		{"gs://bucket?anonymous=true", `takes no parameter "anonymous"; it takes access_id, cache_control, prefix, private_key_path`},
		{"azblob://photos?sas=s3cret", `takes no parameter "sas"; it takes cache_control, domain, localemu, prefix, protocol, storage_account`},
		{"s3://bucket?region=a&region=b", "region comes twice"},
		{"s3://bucket?region=", "region: want a region"},
		{"s3://bucket?region=EU%20s3cret", "region: want a region"},
		{"s3://bucket?region=%zzs3cret", "name=value"},
		{"s3://bucket?endpoint=s3cret.example.com", "endpoint: want http://host:port"},
		{"s3://bucket?endpoint=https://me:s3cret@example.com", "endpoint: want"},
		{"s3://bucket?use_path_style=s3cret", "use_path_style: want true or false"},
		{"s3://bucket?request_checksum_calculation=never", "when_required"},
		{"s3://bucket?prefix=/s3cret", "prefix: want"},
		{"s3://bucket?prefix=a//s3cret", "prefix: want"},
		{"s3://bucket?prefix=../s3cret", "prefix: want"},
		{"gs://bucket?prefix=a%20s3cret", "prefix: want"},
		{"gs://bucket?prefix=", "prefix: want"},
		{"gs://bucket?cache_control=no-cache%0ax-s3cret:1", "cache_control: want"},
		{"gs://bucket?private_key_path=", "private_key_path: want the path"},
		{"azblob://photos", "AZURE_STORAGE_ACCOUNT"},
		{"azblob://photos?storage_account=taxi&protocol=s3cret", "protocol: want http or https"},
		{"azblob://photos?storage_account=taxi&domain=a/s3cret", "domain: want a host"},
		{"azblob://photos?storage_account=taxi&localemu=1", "localemu: want true or false"},
	} {
		store, err := Open(c.url)
		switch {
		case err == nil:
			t.Errorf("Open(%q) = %v, want an error", c.url, store)
		case !strings.Contains(err.Error(), c.says):
			t.Errorf("Open(%q): %q doesn't say %q", c.url, err, c.says)
		case strings.Contains(err.Error(), "s3cret") || strings.Contains(err.Error(), "\n"):
			t.Errorf("Open(%q): %q repeats a value, or has two lines", c.url, err)
		}
	}
}
