//! What is below an attribute and is no function to wait for.

#[tokio::main]
fn not_async() {}

#[tokio::test]
fn not_async_either() {}

#[tokio::test]
async fn with_arguments(_number: u32) {}

#[tokio::test]
#[test]
async fn a_test_twice() {}

#[tokio::main]
struct NotAFunction;

trait Service {
    #[tokio::main]
    async fn without_a_body();
}

fn main() {}
