//! STS, which speaks the query protocol and XML.

use crate::Answer;

pub(super) fn caller(account: &str, who: &str, id: &str) -> Answer {
    let text = format!(
        "<GetCallerIdentityResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\">\
         <GetCallerIdentityResult><Arn>{who}</Arn><UserId>AIDATESTER</UserId>\
         <Account>{account}</Account></GetCallerIdentityResult>\
         <ResponseMetadata><RequestId>{id}</RequestId></ResponseMetadata></GetCallerIdentityResponse>"
    );
    xml(200, text)
}

/// Credentials of a role.
pub(super) fn role(operation: &str, key: &str, until: &str) -> Answer {
    let text = format!(
        "<{operation}Response xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><{operation}Result>\
         <Credentials><AccessKeyId>{key}</AccessKeyId><SecretAccessKey>secret-of-a-session</SecretAccessKey>\
         <SessionToken>token-of-a-session</SessionToken><Expiration>{until}</Expiration></Credentials>\
         </{operation}Result><ResponseMetadata><RequestId>roles</RequestId></ResponseMetadata></{operation}Response>"
    );
    xml(200, text)
}

pub(super) fn refused(status: u16, code: &str, message: &str, id: &str) -> Answer {
    let text = format!(
        "<ErrorResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><Error><Type>Sender</Type>\
         <Code>{code}</Code><Message>{message}</Message></Error><RequestId>{id}</RequestId></ErrorResponse>"
    );
    xml(status, text)
}

fn xml(status: u16, text: String) -> Answer {
    Answer {
        status,
        headers: vec![("content-type".to_owned(), "text/xml".to_owned())],
        body: text.into_bytes(),
    }
}
