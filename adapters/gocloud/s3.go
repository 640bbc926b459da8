package gocloud

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/smithy-go/logging"
	smithyhttp "github.com/aws/smithy-go/transport/http"
	"gocloud.dev/blob"
	"gocloud.dev/blob/s3blob"

	"github.com/fleetphoto/fleetphoto/domain"
)

const defaultRegion = "us-east-1"

func s3Forms() forms {
	return forms{
		"endpoint":                     {`https?://` + host + `/?`, "http://host:port or https://host"},
		"region":                       {`[a-z0-9-]+`, "a region such as eu-west-1"},
		"use_path_style":               trueOrFalse,
		"profile":                      {anything, "the name of a profile in the AWS configuration files"},
		"request_checksum_calculation": {`when_(supported|required)`, "when_supported or when_required"},
	}
}

func newS3(name string, parameters url.Values) (provider, error) {
	return provider{
		bucket:   name,
		name:     fmt.Sprintf("the bucket %q", name),
		rights:   rights{write: "s3:PutObject", read: "s3:GetObject", remove: "s3:DeleteObject", list: "s3:ListBucket on the bucket", look: "s3:GetObject"},
		identity: "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, a profile or a role",
		connect: func(ctx context.Context) (*connection, error) {
			return connectS3(ctx, name, parameters)
		},
	}, nil
}

// connectS3 doesn't use gocloud's URL opener, which takes no default region and
// no Retryer.
func connectS3(ctx context.Context, name string, parameters url.Values) (*connection, error) {
	found, err := config.LoadDefaultConfig(ctx, config.WithRegion(parameters.Get("region")), config.WithDefaultRegion(defaultRegion),
		config.WithSharedConfigProfile(parameters.Get("profile")), config.WithLogger(logging.Nop{}))
	if err != nil {
		return nil, err
	}
	client := s3.NewFromConfig(found, func(o *s3.Options) { chooseS3(o, parameters) })
	options := client.Options()
	if _, err := options.Credentials.Retrieve(ctx); err != nil {
		return nil, fmt.Errorf("%w: %w", errNoCredentials, err)
	}
	objects, err := s3blob.OpenBucket(ctx, client, name, &s3blob.Options{RequestChecksumCalculation: options.RequestChecksumCalculation})
	if err != nil {
		return nil, err
	}
	sign := func(ctx context.Context, name string, lifetime time.Duration) (string, error) {
		return objects.SignedURL(ctx, name, &blob.SignedURLOptions{Method: http.MethodGet, Expiry: lifetime})
	}
	bucket := s3Objects{client, name, newS3Retryer()}
	return &connection{objects, bucket, etags, s3Base(name, options), sign, bucket.kept}, nil
}

// chooseS3 applies the parameters. Most servers other than AWS support buckets
// only in the path, and fewer checksums than AWS.
func chooseS3(o *s3.Options, parameters url.Values) {
	if endpoint := strings.TrimSuffix(parameters.Get("endpoint"), "/"); endpoint != "" {
		o.BaseEndpoint = &endpoint
	}
	elsewhere := o.BaseEndpoint != nil
	o.UsePathStyle = cmp.Or(parameters.Get("use_path_style"), fmt.Sprint(elsewhere)) == "true"
	switch checksums := parameters.Get("request_checksum_calculation"); {
	case checksums == "when_supported":
		o.RequestChecksumCalculation = aws.RequestChecksumCalculationWhenSupported
	case checksums == "when_required", elsewhere:
		o.RequestChecksumCalculation = aws.RequestChecksumCalculationWhenRequired
	}
}

// newS3Retryer retries a change only after a refusal: because the server was
// busy, or because this machine's clock was wrong, which the SDK corrects.
// Servers that keep objects in directories remove a directory with its last
// object, perhaps while another object is being written to it.
func newS3Retryer() aws.Retryer {
	return retry.AddWithErrorCodes(retry.NewStandard(func(o *retry.StandardOptions) {
		o.Retryables = []retry.IsErrorRetryable{retry.RetryableErrorCode{Codes: retry.DefaultThrottleErrorCodes}}
	}), "ExistingObjectIsDirectory", "OperationAborted", "RequestTimeTooSkewed")
}

// s3Objects are the objects of a bucket.
type s3Objects struct {
	client  *s3.Client
	bucket  string
	retryer aws.Retryer // of changes
}

func (b s3Objects) asChange(o *s3.Options) { o.Retryer = b.retryer }

func (b s3Objects) put(ctx context.Context, o object, over domain.PhotoVersion) (domain.PhotoVersion, error) {
	match, noneMatch := conditions(over)
	answer, err := b.client.PutObject(ctx, &s3.PutObjectInput{
		Bucket: &b.bucket, Key: &o.name, Body: bytes.NewReader(o.data), ContentType: &o.contentType, CacheControl: &o.cacheControl,
		IfMatch: match, IfNoneMatch: noneMatch,
	}, b.asChange)
	if err != nil {
		return "", err
	}
	return version(answer.ETag), nil
}

// remove accepts no status but 204: any other success isn't S3's.
func (b s3Objects) remove(ctx context.Context, name string, over domain.PhotoVersion) error {
	match, _ := conditions(over)
	answer, err := b.client.DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: &b.bucket, Key: &name, IfMatch: match}, b.asChange)
	if err != nil {
		return err
	}
	raw, known := middleware.GetRawResponse(answer.ResultMetadata).(*smithyhttp.Response)
	if !known || raw.StatusCode != http.StatusNoContent {
		return errNotStore
	}
	return nil
}

func (b s3Objects) get(ctx context.Context, name string) (stored, error) {
	answer, err := b.client.GetObject(ctx, &s3.GetObjectInput{Bucket: &b.bucket, Key: &name})
	if err != nil {
		return stored{}, err
	}
	return stored{answer.Body, aws.ToInt64(answer.ContentLength), version(answer.ETag)}, nil
}

// kept reads the headers of the marker, which Start has just written. That
// needs only the right to read; reading the lifecycle rules needs another.
func (b s3Objects) kept(ctx context.Context, prefix string) (kept, error) {
	name := prefix + markerName
	marker, err := b.client.HeadObject(ctx, &s3.HeadObjectInput{Bucket: &b.bucket, Key: &name})
	if err != nil {
		return kept{}, err
	}
	if version := aws.ToString(marker.VersionId); version == "" || version == "null" { // null: suspended
		return kept{}, nil
	}
	lifecycle, err := b.client.GetBucketLifecycleConfiguration(ctx, &s3.GetBucketLifecycleConfigurationInput{Bucket: &b.bucket})
	switch _, code := answer(err); {
	case code == "NoSuchLifecycleConfiguration":
		return kept{versions: keptForEver}, nil
	case err != nil:
		return kept{versions: keptUnknown}, nil //nolint:nilerr // keptUnknown says it
	}
	days := keptForEver
	for _, rule := range lifecycle.Rules {
		if end := rule.NoncurrentVersionExpiration; end != nil && end.NewerNoncurrentVersions == nil && appliesTo(rule, prefix) {
			days = soonest(days, int(aws.ToInt32(end.NoncurrentDays)))
		}
	}
	return kept{versions: days}, nil
}

// appliesTo reports whether a rule is enabled and applies to all photos.
func appliesTo(rule types.LifecycleRule, prefix string) bool {
	if rule.Status != types.ExpirationStatusEnabled {
		return false
	}
	of := aws.ToString(rule.Prefix) //nolint:staticcheck // old rules have it
	if filter := rule.Filter; filter != nil {
		if filter.Tag != nil || filter.And != nil || filter.ObjectSizeGreaterThan != nil || filter.ObjectSizeLessThan != nil {
			return false
		}
		of = cmp.Or(aws.ToString(filter.Prefix), of)
	}
	return strings.HasPrefix(prefix+"fleet-", of)
}

// s3Base returns what the address of each object begins with. Like S3, it omits
// the default region. A bucket name with a dot goes into the path, because no
// certificate covers it as a host.
func s3Base(name string, o s3.Options) string {
	base := "https://s3." + o.Region + ".amazonaws.com/"
	switch {
	case o.BaseEndpoint != nil:
		base = strings.TrimSuffix(*o.BaseEndpoint, "/") + "/"
	case o.Region == defaultRegion:
		base = "https://s3.amazonaws.com/"
	case strings.HasPrefix(o.Region, "cn-"):
		base = "https://s3." + o.Region + ".amazonaws.com.cn/"
	}
	if o.UsePathStyle || strings.Contains(name, ".") {
		return base + name + "/"
	}
	return strings.Replace(base, "://", "://"+name+".", 1)
}
