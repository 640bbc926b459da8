package servers

import (
	"cmp"
	"context"
	"fmt"
	"net/url"
	"os"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/testcontainers/testcontainers-go/wait"
)

const s3Region = "us-east-1"

// anyoneReads is the policy of a bucket whose photos need no signature.
const anyoneReads = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":"s3:GetObject","Resource":"arn:aws:s3:::%s/*"}]}`

const s3User, s3Password = "fleetphoto", "only-on-loopback"

func s3Container(image string) container {
	return container{
		image: image, ports: []string{"7070/tcp"}, cmd: []string{"posix", "/tmp/vgw"},
		env:   map[string]string{"ROOT_ACCESS_KEY": s3User, "ROOT_SECRET_KEY": s3Password, "VGW_PORT": ":7070", "VGW_HEALTH": "/health"},
		ready: wait.ForHTTP("/health").WithPort("7070/tcp"),
	}
}

func startS3(ctx context.Context, image string) (string, error) {
	address, err := s3Container(image).start(ctx)
	if err != nil {
		return "", err
	}
	return prepareS3(ctx, address)
}

// prepareS3 makes the bucket, and lets this process and those that it starts in.
func prepareS3(ctx context.Context, address string) (string, error) {
	endpoint := "http://" + address
	if err := makeS3Bucket(ctx, endpoint, credentials.NewStaticCredentialsProvider(s3User, s3Password, "")); err != nil {
		return "", err
	}
	parameters := url.Values{
		"endpoint": {endpoint}, "region": {s3Region}, "use_path_style": {"true"}, "request_checksum_calculation": {"when_required"},
	}
	return "s3://" + bucketName + "?" + parameters.Encode(), setEnvironment(map[string]string{
		"AWS_ACCESS_KEY_ID": s3User, "AWS_SECRET_ACCESS_KEY": s3Password, "AWS_EC2_METADATA_DISABLED": "true",
	})
}

func makeS3Bucket(ctx context.Context, endpoint string, known aws.CredentialsProvider) error {
	client := s3.New(s3.Options{BaseEndpoint: &endpoint, Region: s3Region, UsePathStyle: true, Credentials: known})
	if _, err := client.CreateBucket(ctx, &s3.CreateBucketInput{Bucket: aws.String(bucketName)}); err != nil {
		return err
	}
	_, err := client.PutBucketPolicy(ctx, &s3.PutBucketPolicyInput{Bucket: aws.String(bucketName), Policy: aws.String(fmt.Sprintf(anyoneReads, bucketName))})
	return err
}

func nameS3(ctx context.Context, rawURL, image string) (string, error) {
	u, err := url.Parse(rawURL)
	if err != nil {
		return "", err
	}
	return nameOf(ctx, image, cmp.Or(u.Query().Get("endpoint"), "https://s3.amazonaws.com")), nil
}

// setEnvironment sets what the SDKs read, in this process and those that it starts.
func setEnvironment(variables map[string]string) error {
	for name, value := range variables {
		if err := os.Setenv(name, value); err != nil {
			return err
		}
	}
	return nil
}
